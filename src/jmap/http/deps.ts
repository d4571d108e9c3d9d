import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { Authenticator, Login } from "../../auth/login.ts";
import type { Services } from "../method.ts";
import type { Registry } from "../registry.ts";
import type { Proxies } from "./address.ts";
import type { Concurrency } from "./limits.ts";

/** What answering API requests needs, over HTTP or over a WebSocket. */
export interface ApiDeps {
  services: Services;
  registry: Registry;
  /** Counts a login's requests under way, over HTTP and WebSockets together. */
  requests: Concurrency;
  /** Where clients reach the server, without a slash at the end; "" for what the request says. */
  publicUrl: string;
  /** Calls run though their capability is not in `using`. */
  relaxedUsing: boolean;
  /** RFC 8887: advertised when it is there. */
  upgrade?: ((req: IncomingMessage, socket: Duplex, head: Buffer) => void) | undefined;
}

export interface HttpDeps extends ApiDeps {
  authenticator: Pick<Authenticator, "authenticate">;
  proxies: Proxies;
  /** Whether the server could answer requests now. */
  ready(): Promise<boolean>;
  /** RFC 8620 §7.3 */
  eventSource?: ((req: IncomingMessage, res: ServerResponse, login: Login, url: URL) => void) | undefined;
}
