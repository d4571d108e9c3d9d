import type { IncomingMessage } from "node:http";
import { RequestError } from "../errors.ts";
import { stallPatience } from "./respond.ts";

/** RFC 9110 §8.4: a body that is compressed is refused, not kept or read as if it were plain. */
export function wantPlain(req: IncomingMessage): void {
  const coding = req.headers["content-encoding"] ?? "identity";
  if (coding.toLowerCase() === "identity") return;
  throw new RequestError("about:blank", 415, "The body must come without a content encoding.");
}

/** However slow a line is, its body may take its time; a client that sends nothing for long is given up. */
export async function arriving<T>(req: IncomingMessage, read: () => Promise<T>): Promise<T> {
  if (req.complete) return read();
  req.setTimeout(stallPatience);
  try {
    return await read();
  } finally {
    req.setTimeout(0);
  }
}
