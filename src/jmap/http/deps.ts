import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { Authenticator, Login } from "../../auth/login.ts";
import type { Services } from "../method.ts";
import type { Registry } from "../registry.ts";
import type { Proxies } from "./address.ts";
import type { Concurrency } from "./limits.ts";

/** What is needed to answer API requests over HTTP or a WebSocket. */
export interface ApiDeps {
  services: Services;
  registry: Registry;
  /** Counts a login's requests under way, over HTTP and WebSockets together. */
  requests: Concurrency;
  /** Counts a login's uploads under way. */
  uploads: Concurrency;
  /** The URL at which clients reach the server, without a final slash; "" to use the request's own. */
  publicUrl: string;
  /** Runs calls even if their capability is not in `using`. */
  relaxedUsing: boolean;
  /** The URL at which clients reach WebSockets and event sources, likewise; "" for that of the server. */
  pushUrl: string;
  /** Our name in Authentication-Results: the authserv-id of RFC 8601 §2.5. */
  hostname: string;
  /** Nobody serves push: the session offers no WebSockets (RFC 8887 §3). */
  isPushPaused: boolean;
  /** What the session says of the login under capabilities of its own. (Default: nothing) */
  ownCapabilities?: (login: Login) => Record<string, object>;
}

/** The endpoints for push. */
export interface PushEndpoints {
  /** RFC 8887 §4.1 */
  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** RFC 8620 §7.3 */
  eventSource(req: IncomingMessage, res: ServerResponse, login: Login, url: URL): Promise<void>;
}

/** What serves people with browsers beside JMAP (src/web): pages, and signing in to them. */
export interface WebEndpoints {
  /** The value of the Authorization header, or what stands for it: a cookie, if a page of this server asks. */
  credentials(req: IncomingMessage): string | undefined;
  /** The URL of the metadata (RFC 9728) that tells how to get a token for what is asked for; undefined if none can be had. */
  resourceMetadata?(req: IncomingMessage): string | undefined;
  /** Answers the request, without CORS, if it is for a page or for signing in; otherwise returns false. */
  serve(req: IncomingMessage, res: ServerResponse): boolean;
}

export interface HttpDeps extends ApiDeps {
  authenticator: Pick<Authenticator, "authenticate">;
  proxies: Proxies;
  /** Whether the server can answer requests now, and the text of /readyz. */
  ready(): Promise<{ isReady: boolean; text: string }>;
  /** Whether this process serves anything but push. */
  isJmapServed: boolean;
  /** Undefined if other processes serve them, or nobody. */
  push: PushEndpoints | undefined;
  /** Undefined if there are no pages. */
  web?: WebEndpoints | undefined;
  /** What other mail servers ask for (RFC 8461): answers it, or returns false. (Default: nothing) */
  policies?: Pick<WebEndpoints, "serve">;
  /** Answers those who ask how to reach this server, without signing in; false for other requests. */
  discovery?: ((req: IncomingMessage, res: ServerResponse) => boolean) | undefined;
}
