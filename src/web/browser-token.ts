import type { IncomingMessage } from "node:http";
import { newToken } from "../auth/secrets.ts";
import type { Random } from "../base/clock.ts";
import { networkOf } from "../base/network.ts";
import type { Tx } from "../store/core/store.ts";
import type { LoginName } from "../store/directory/login-name.ts";
import { addWebToken } from "../store/directory/sign-ins.ts";

const maxAgentLength = 300;

interface Means {
  random: Random;
  proxies: { clientAddress(req: IncomingMessage): string | undefined };
}

/** Adds the token of a browser that signs in with this request. Returns its secret. `forMs`: how long it lives. */
export async function addBrowserToken(
  tx: Tx,
  req: IncomingMessage,
  { login, userId, label, forMs }: LoginName & { label: string; forMs: number },
  { random, proxies }: Means,
): Promise<string> {
  const { id, secret, hash } = newToken(random, userId);
  const address = proxies.clientAddress(req);
  await addWebToken(tx, {
    ...{ userId, login, id, hash, label, createdAt: tx.now },
    expiresAt: new Date(tx.now.getTime() + forMs),
    agent: req.headers["user-agent"]?.slice(0, maxAgentLength) ?? null,
    network: address === undefined ? null : networkOf(address),
  });
  return secret;
}
