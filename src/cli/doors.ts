import { chmod, rm, stat } from "node:fs/promises";
import { type AddressInfo, connect, type Server } from "node:net";
import type { ListenPlace } from "../config/values.ts";

/** The doors for clients and browsers. */
export const webDoors = { http: "http", https: "https", httpRedirect: "http", operator: "http" } as const;
export type WebDoor = keyof typeof webDoors;
export const webDoorNames = Object.keys(webDoors) as WebDoor[];

export type DoorName = WebDoor | MailDoor;

/** The doors of the role smtp-in, with the names of their options, and how their URLs begin. */
export const mailDoors = { smtp: "smtp", submission: "smtp", submissions: "smtps", lmtp: "lmtp" } as const;
export type MailDoor = keyof typeof mailDoors;
export const mailDoorNames = Object.keys(mailDoors) as MailDoor[];

/** How connections come to the servers of this process: it listens itself, or its parent hands them over. */
export interface Doors {
  /** Resolves with the port, 0 for a socket file, when the server gets connections. */
  open(name: DoorName, place: ListenPlace, server: Server): Promise<number>;
}

export const ownDoors: Doors = {
  open: (_, place, server) => listen(server, place),
};

/** Resolves with the port, 0 for a socket file. */
export async function listen(server: Server, place: ListenPlace): Promise<number> {
  if ("path" in place) await removeDead(place.path);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(place, () => {
      server.off("error", reject);
      resolve();
    });
  });
  if (!("path" in place)) return (server.address() as AddressInfo).port;
  // Who else may connect is for the folder to say, whose group the file gets if the folder is setgid.
  await chmod(place.path, 0o660);
  return 0;
}

/** Removes the socket file of a server that was killed. */
async function removeDead(path: string): Promise<void> {
  if (!(await stat(path).catch(() => undefined))?.isSocket()) return;
  const isDead = await new Promise<boolean>((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(false);
    });
    socket.once("error", ({ code }: NodeJS.ErrnoException) => resolve(code === "ECONNREFUSED"));
  });
  if (isDead) await rm(path);
}
