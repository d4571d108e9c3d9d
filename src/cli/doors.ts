import type { AddressInfo, Server } from "node:net";
import type { Address } from "../config/values.ts";
import { hostPort } from "./parts.ts";

export type DoorName = "http" | MailDoor;

/** The doors of the role smtp-in, with the names of their options, and how their URLs begin. */
const mailDoors = { smtp: "smtp", submission: "smtp", submissions: "smtps" } as const;
export type MailDoor = keyof typeof mailDoors;
export const mailDoorNames = Object.keys(mailDoors) as MailDoor[];

export const urlOf = (name: MailDoor, address: Address): string => `${mailDoors[name]}://${hostPort(address)}`;

/** How connections come to the servers of this process: it listens itself, or its parent hands them over. */
export interface Doors {
  /** Resolves with the port when the server gets connections. */
  open(name: DoorName, address: Address, server: Server): Promise<number>;
}

export const ownDoors: Doors = {
  open: async (_, address, server) => {
    await listen(server, address);
    return (server.address() as AddressInfo).port;
  },
};

export function listen(server: Server, { host, port }: Address): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
}
