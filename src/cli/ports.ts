import { createServer } from "node:net";
import type { Config } from "../config/schema.ts";
import type { Address } from "../config/values.ts";

/** What is wrong with each address that cannot be listened on. */
export class PortsRefused extends Error {
  readonly reasons: Error[];

  constructor(reasons: Error[]) {
    super(reasons.map(({ message }) => message).join(", "));
    this.reasons = reasons;
  }
}

/** Throws PortsRefused where the roles are to listen and cannot: of all addresses at once, before work is put into a start. */
export async function checkPorts({ roles, http, smtp, metrics }: Config): Promise<void> {
  const wanted = [roles.includes("http") && http, roles.includes("smtp-in") && smtp, metrics];
  const outcomes = await Promise.all(wanted.map((address) => (address ? refusal(address) : undefined)));
  const reasons = outcomes.filter((reason) => reason !== undefined);
  if (reasons.length > 0) throw new PortsRefused(reasons);
}

function refusal({ host, port }: Address): Promise<Error | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", resolve);
    server.listen(port, host, () => server.close(() => resolve(undefined)));
  });
}
