import type { IncomingMessage, ServerResponse } from "node:http";
import type { Authenticator, Login } from "../auth/login.ts";
import type { Site as PasskeySite } from "../auth/passkeys.ts";
import type { Clock, Random } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { SharedCounts } from "../base/shared-counts.ts";
import type { Bus } from "../push/bus.ts";
import type { Store } from "../store/core/store.ts";
import type { Site } from "./cookie.ts";
import type { Joining } from "./joining.ts";

/** What is needed to sign people in. */
export interface Means {
  authenticator: Pick<Authenticator, "authenticate" | "checkFirstFactor" | "settle" | "wasVerifiedBy">;
  store: Store;
  bus: Pick<Bus, "publish">;
  clock: Clock;
  random: Random;
  log: Log;
  counts: SharedCounts;
  /** Whose sign-ins these are: the label of their tokens, and the name of the cookie, differ. */
  site: Site;
  /** Whether the login may sign in here. (Default: everybody) */
  admits?(login: Login): Promise<boolean>;
  /** Makes accounts for guests; undefined where there are none. */
  joining: Joining | undefined;
  /** What is known of a request that may have come through proxies. */
  proxies: {
    clientAddress(req: IncomingMessage): string | undefined;
    baseUrl(req: IncomingMessage): string;
    isEncrypted(req: IncomingMessage): boolean;
  };
}

/** A request below /auth/ by a page of our own. */
export interface Asked {
  req: IncomingMessage;
  res: ServerResponse;
  /** The JSON object in its body. */
  body: Record<string, unknown>;
  address: string | undefined;
}

/** Answers a request, or throws a Refusal. */
export type Handler = (asked: Asked) => Promise<void>;

/** The site of the page that asks; undefined where browsers make no passkeys: without encryption, or at a bare IP address. */
export function siteOf({ req }: Asked, { proxies }: Pick<Means, "proxies">): PasskeySite | undefined {
  const url = URL.parse(proxies.baseUrl(req));
  if (!url || /^[\d.]+$|^\[/.test(url.hostname)) return undefined;
  if (url.protocol !== "https:" && url.hostname !== "localhost" && !url.hostname.endsWith(".localhost"))
    return undefined;
  return { origin: url.origin, host: url.hostname };
}
