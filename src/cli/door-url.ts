import type { ListenPlace } from "../config/values.ts";
import { type DoorName, mailDoors, webDoors } from "./doors.ts";
import { hostPort } from "./parts.ts";

const schemes = { ...webDoors, ...mailDoors };

export function urlOf(name: DoorName, place: ListenPlace, port: number): string {
  return "path" in place ? `unix:${place.path}` : `${schemes[name]}://${hostPort({ ...place, port })}`;
}
