import type { IncomingMessage } from "node:http";
import { RequestError } from "../errors.ts";
import { stallTimeoutMs } from "./respond.ts";

/** RFC 9110 §8.4: refuses a compressed body, rather than storing or reading it as if it were plain. */
export function wantPlain(req: IncomingMessage): void {
  const coding = req.headers["content-encoding"] ?? "identity";
  if (coding.toLowerCase() === "identity") return;
  throw new RequestError("about:blank", 415, "The body must not have a content encoding.");
}

/** A body may arrive slowly, but a client that sends nothing for a while is given up. */
export async function arriving<T>(req: IncomingMessage, read: () => Promise<T>): Promise<T> {
  if (req.complete) return read();
  req.setTimeout(stallTimeoutMs);
  try {
    return await read();
  } finally {
    req.setTimeout(0);
  }
}
