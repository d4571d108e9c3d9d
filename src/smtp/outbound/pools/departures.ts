import { isIP } from "node:net";
import type { Answer } from "../reply.ts";
import type { Server } from "../session.ts";
import { providerOf } from "./plan.ts";
import type { PoolClass, Source } from "./pools-file.ts";
import type { Sources } from "./sources.ts";

/** How a mail leaves: the servers that its address can reach, each with the address. */
export interface Departure {
  servers: Server[];
  /** Call it with what the servers answered. */
  ended(answers: readonly Answer[]): Promise<void>;
}

/** Chooses the address that a mail to these servers leaves from; or resolves with the time at which to come back. */
export async function departureTo(
  servers: readonly Server[],
  pool: PoolClass,
  sources: Sources,
): Promise<Departure | Date> {
  const families = [...new Set(servers.map(({ address }) => isIP(address)))];
  const provider = providerOf(servers[0]?.name ?? "");
  const source = await sources.choose({ pool, provider, families });
  if (source instanceof Date) return source;
  return {
    servers: reachable(servers, source),
    ended: (answers) => sources.noted(source, provider, answers),
  };
}

function reachable(servers: readonly Server[], source: Source): Server[] {
  const { address, name } = source;
  return servers
    .filter((server) => isIP(server.address) === isIP(address))
    .map((server) => ({ ...server, source: { address, name } }));
}
