import type { IncomingMessage } from "node:http";
import { RequestError } from "../errors.ts";

/** RFC 9110 §8.4: a body that is compressed is refused, not kept or read as if it were plain. */
export function wantPlain(req: IncomingMessage): void {
  const coding = req.headers["content-encoding"] ?? "identity";
  if (coding.toLowerCase() === "identity") return;
  throw new RequestError("about:blank", 415, "The body must come without a content encoding.");
}
