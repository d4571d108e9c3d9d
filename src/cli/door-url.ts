import type { ListenPlace } from "../config/values.ts";
import { type MailDoor, mailDoors } from "./doors.ts";
import { hostPort } from "./parts.ts";

export function urlOf(name: MailDoor, place: ListenPlace, port: number): string {
  return "path" in place ? `unix:${place.path}` : `${mailDoors[name]}://${hostPort({ ...place, port })}`;
}
