import { ThreadKind } from "../../base/threads.ts";
import { headerEnd } from "../../mime/walk.ts";
import type { LookUp } from "./look-up.ts";
import type { Sender, ToVerify, Verified } from "./verify.ts";

/** The extension of this file: .ts when Node runs the source, .js in the build. */
const workerFile = new URL(`./verify-worker${import.meta.url.slice(-3)}`, import.meta.url);

/** A larger message would hold up the event loop, so a thread verifies it. The header costs the most. */
const maxInlineBytes = 100_000;
const headerCost = 10;
/** Well above what DNS and a large message take. */
const maxTimeMs = 25_000;

interface Means {
  hostname: string;
  lookUp: LookUp;
  /** The time limit of a thread. (Default: 25 s.) */
  timeMs?: number;
}

/** What a thread needs to know besides the message. */
export interface Given {
  from: string[];
  sender: Sender;
  hostname: string;
}

/** A DNS look-up for the thread: only this side caches the answers. */
export type Question = Parameters<LookUp>;

const threads = new ThreadKind<Given, Verified, Question>(workerFile, maxTimeMs);

/** Runs `verify`, in a thread when it would take long. Throws TooSlow. */
export async function verifyAside(given: ToVerify, sender: Sender, means: Means): Promise<Verified> {
  const { message, from } = given;
  const header = headerEnd(message) + from.reduce((sum, value) => sum + value.length, 0);
  if (message.length + headerCost * header <= maxInlineBytes) {
    const { verify } = await import("./verify.ts");
    return verify(given, sender, means);
  }
  const { hostname, lookUp, timeMs } = means;
  return threads.run(message, { from, sender, hostname }, { timeMs, answer: (question) => lookUp(...question) });
}
