import { createHmac } from "node:crypto";
import type { Conversation, Reply } from "./conversation.ts";
import type { Failure } from "./failure.ts";

export interface Login {
  user: string;
  pass: string;
}

const base64 = (text: string) => Buffer.from(text).toString("base64");

/** RFC 4954, with PLAIN (RFC 4616), else LOGIN, else CRAM-MD5 (RFC 2195). Throws a Failure. */
export async function authenticate(
  conversation: Conversation,
  { user, pass }: Login,
  offered: readonly string[],
): Promise<void> {
  const say = (line: string) => conversation.command(line);
  let reply: Reply;
  if (offered.includes("PLAIN") || offered.length === 0) {
    reply = await say(`AUTH PLAIN ${base64(`\0${user}\0${pass}`)}`);
  } else if (offered.includes("LOGIN")) {
    reply = await say("AUTH LOGIN");
    for (const answer of [user, pass]) if (reply.code === 334) reply = await say(base64(answer));
  } else {
    reply = await say("AUTH CRAM-MD5");
    if (reply.code === 334) {
      const challenge = Buffer.from(reply.text.slice(4), "base64");
      reply = await say(base64(`${user} ${createHmac("md5", pass).update(challenge).digest("hex")}`));
    }
  }
  if (reply.code === 235) return;
  const failure: Failure = Object.assign(new Error("login failed"), { code: "EAUTH", response: reply.text });
  throw failure;
}
