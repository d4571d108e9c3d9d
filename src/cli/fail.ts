import { ConfigError } from "../config/load.ts";
import { AccountMissing, Conflict } from "../store/errors.ts";

/** Something the person who typed the command can mend; the message is all they see. */
export class Failure extends Error {}

/** What to tell of an error, without a stack. */
export function explain(error: unknown): string {
  if (error instanceof ConfigError) return error.problems.join("\n");
  if (error instanceof Conflict) return "that name is taken";
  if (error instanceof AccountMissing) return "there is no such account";
  if (!(error instanceof Error)) return String(error);
  const { code, port, address } = error as Error & { code?: string; port?: number; address?: string };
  if (code === "EADDRINUSE") return `port ${port} on ${address} is taken by another program`;
  if (code === "EACCES" && port !== undefined) return `port ${port} may not be opened by this user`;
  if (code === "ECONNREFUSED" && port !== undefined) return `nothing answers at ${address}:${port}`;
  if (error instanceof AggregateError && error.errors.length > 0) return explain(error.errors[0]);
  return error.message.split("\n")[0]! || error.name;
}
