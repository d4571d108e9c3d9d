import { randomBytes } from "node:crypto";
import { systemClock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import type { Config } from "../../config/schema.ts";
import { explain, Failure } from "../fail.ts";
import { hostPort } from "../parts.ts";
import { PortsRefused } from "../ports.ts";
import { resolverOf } from "../resolver.ts";

export interface Reached {
  /** Whether it runs only as long as this command. */
  isOurs: boolean;
  stop(): Promise<void>;
}

/** Where this machine reaches the server by HTTP. */
export function localUrl({ http }: Pick<Config, "http">): string {
  const host = http.host === "0.0.0.0" ? "127.0.0.1" : http.host === "::" ? "::1" : http.host;
  return `http://${hostPort({ ...http, host })}`;
}

/** The server, if it runs; or else one for the time of the command if `starts`. */
export async function reachServer(
  config: Config,
  { log, starts }: { log: Log; starts: boolean },
): Promise<Reached | undefined> {
  const running = await fetch(`${localUrl(config)}/healthz`, { signal: AbortSignal.timeout(5_000) }).catch(
    () => undefined,
  );
  await running?.arrayBuffer();
  if (running?.ok) return { isOurs: false, stop: async () => {} };
  if (!starts) return undefined;
  const { serve } = await import("../serve.ts");
  const surroundings = { clock: systemClock, resolver: resolverOf(config), random: randomBytes, log };
  try {
    const { stop } = await serve({ ...config, workers: 1, web: false, demo: false }, surroundings);
    return { isOurs: true, stop };
  } catch (error) {
    const reasons = error instanceof PortsRefused ? error.reasons : [error];
    const ways = "stop what uses them, or choose others, such as --smtp or --https; --no-start leaves the server out";
    throw new Failure(`the server does not start: ${reasons.map(explain).join("; ")}: ${ways}`);
  }
}
