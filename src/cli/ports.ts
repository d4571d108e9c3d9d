import { createServer } from "node:net";
import type { Config } from "../config/schema.ts";
import type { ListenPlace } from "../config/values.ts";
import { listen, mailDoorNames, webDoorNames } from "./doors.ts";
import { isUsualOperatorsDoor } from "./usual-door.ts";

/** Has one reason for each address that cannot be listened on. */
export class PortsRefused extends Error {
  readonly reasons: Error[];

  constructor(reasons: Error[]) {
    super(reasons.map(({ message }) => message).join(", "));
    this.reasons = reasons;
  }
}

/** Throws PortsRefused if any address of the roles cannot be listened on. Checks all of them, early in the start. */
export async function checkPorts(config: Config): Promise<void> {
  const { roles, metrics } = config;
  const isWeb = roles.includes("http") || roles.includes("push");
  const isMail = roles.includes("smtp-in");
  const doors = [...(isWeb ? webDoorNames : []), ...(isMail ? mailDoorNames : [])];
  const asked = doors.filter((name) => name !== "operator" || !isUsualOperatorsDoor(config));
  const wanted = [...asked.map((name) => config[name]), metrics];
  const outcomes = await Promise.all(wanted.map((address) => (address ? refusal(address) : undefined)));
  const reasons = outcomes.filter((reason) => reason !== undefined);
  if (reasons.length > 0) throw new PortsRefused(reasons);
}

async function refusal(place: ListenPlace): Promise<Error | undefined> {
  const server = createServer();
  try {
    await listen(server, place);
  } catch (error) {
    return error as Error;
  }
  return new Promise((resolve) => server.close(() => resolve(undefined)));
}
