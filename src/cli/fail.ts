import { NotAnArchive } from "../admin/export/manifest.ts";
import { Refused } from "../admin/refused.ts";
import { ConfigError } from "../config/load.ts";
import { AccountMissing } from "../store/core/errors.ts";
import { tellRefusal } from "./refusals.ts";

/** An error that the person who typed the command can fix; they see the message alone. */
export class Failure extends Error {}

/** Words an error for the terminal, without a stack. */
export function explain(error: unknown): string {
  if (error instanceof ConfigError) return error.problems.join("\nposthorn: ");
  if (error instanceof Failure) return error.message;
  if (error instanceof Refused) return tellRefusal(error.why);
  if (error instanceof NotAnArchive) return `this is no archive that can be read: ${error.message}`;
  if (error instanceof AccountMissing) return "there is no such account";
  if (!(error instanceof Error)) return String(error);
  const { code, port, address, hostname } = error as Partial<Record<"code" | "port" | "address" | "hostname", unknown>>;
  if (code === "EADDRINUSE") return `another program uses port ${port} on ${address}`;
  if (code === "EADDRNOTAVAIL") return `${address} is not an address of this machine`;
  if (code === "EACCES" && port !== undefined) return `this user may not open port ${port}`;
  if (code === "ECONNREFUSED" && port !== undefined) return `no database answers at ${address}:${port}`;
  if (code === "ENOTFOUND" && hostname !== undefined) return `there is no host ${hostname}`;
  if (error instanceof AggregateError && error.errors.length > 0) return explain(error.errors[0]);
  return error.message.split("\n")[0]! || error.name;
}
