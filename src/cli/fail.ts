import { Refused } from "../admin/refused.ts";
import { ConfigError } from "../config/load.ts";
import { AccountMissing } from "../store/core/errors.ts";
import { tellRefusal } from "./refusals.ts";

/** Something the person who typed the command can mend; the message is all they see. */
export class Failure extends Error {}

/** What to tell of an error, without a stack. */
export function explain(error: unknown): string {
  if (error instanceof ConfigError) return error.problems.join("\nposthorn: ");
  if (error instanceof Failure) return error.message;
  if (error instanceof Refused) return tellRefusal(error.why);
  if (error instanceof AccountMissing) return "there is no such account";
  if (!(error instanceof Error)) return String(error);
  const { code, port, address, hostname } = error as Partial<Record<"code" | "port" | "address" | "hostname", unknown>>;
  if (code === "EADDRINUSE") return `port ${port} on ${address} is taken by another program`;
  if (code === "EADDRNOTAVAIL") return `${address} is no address of this machine`;
  if (code === "EACCES" && port !== undefined) return `port ${port} may not be opened by this user`;
  if (code === "ECONNREFUSED" && port !== undefined) return `no database answers at ${address}:${port}`;
  if (code === "ENOTFOUND" && hostname !== undefined) return `there is no host ${hostname}`;
  if (error instanceof AggregateError && error.errors.length > 0) return explain(error.errors[0]);
  return error.message.split("\n")[0]! || error.name;
}
