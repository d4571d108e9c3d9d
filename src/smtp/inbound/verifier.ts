import { ThreadKind } from "../../base/threads.ts";
import { headerEnd } from "../../mime/walk.ts";
import type { LookUp } from "./look-up.ts";
import type { Sender, ToVerify, Verified } from "./verify.ts";

/** Node runs the source, and the build runs what it was compiled to. */
const workerFile = new URL(`./verify-worker${import.meta.url.slice(-3)}`, import.meta.url);

/** A message that costs more would hold up the event loop: it goes to a thread. A header costs the most. */
const mostInline = 100_000;
const headerCost = 10;
/** In ms: well over what DNS may take, and what a large message does. */
const longest = 25_000;

interface Means {
  hostname: string;
  lookUp: LookUp;
  /** In ms, for a thread. (Default: 25 s.) */
  time?: number;
}

/** With the message, what a thread has to know. */
export interface Given {
  from: string[];
  sender: Sender;
  hostname: string;
}

/** A look-up in DNS: only here are its answers remembered. */
export type Question = Parameters<LookUp>;

const threads = new ThreadKind<Given, Verified, Question>(workerFile, longest);

/** `verify`, away from the event loop where that takes long. Throws TooSlow. */
export async function verifyAside(given: ToVerify, sender: Sender, means: Means): Promise<Verified> {
  const { message, from } = given;
  const header = headerEnd(message) + from.reduce((sum, value) => sum + value.length, 0);
  if (message.length + headerCost * header <= mostInline) {
    const { verify } = await import("./verify.ts");
    return verify(given, sender, means);
  }
  const { hostname, lookUp, time } = means;
  return threads.run(message, { from, sender, hostname }, { time, answer: (question) => lookUp(...question) });
}
