import { expect, test } from "vitest";
import { systemClock } from "../../base/clock.ts";
import { silentEvents } from "../../base/events.ts";
import { silentLog } from "../../base/log.ts";
import { onlyLogged } from "../../base/mail-log.ts";
import { OwnCounts } from "../../base/own-counts.ts";
import { Conversation } from "./conversation.ts";
import { connections } from "./stages/connections.ts";
import { type Check, pass } from "./stages/stage.ts";

const none = { connect: [], secure: [], auth: [], helo: [], mail: [], rcpt: [], data: [] };
const means = { log: silentLog, mailLog: onlyLogged(silentLog), events: silentEvents, newId: async () => 1 };
const conversationWith = (...connect: Check<"connect">[]) =>
  new Conversation({ id: "x", remoteAddress: "192.0.2.1" } as never, { ...none, connect }, means);

test("a peer that leaves while it is judged keeps no place", async () => {
  const count = connections({ counts: new OwnCounts({ clock: systemClock }) });
  for (let at = 0; at < 200; at++) {
    let answer = () => {};
    const slow = () => new Promise<ReturnType<typeof pass>>((resolve) => (answer = () => resolve(pass())));
    const conversation = conversationWith(slow, count);
    const judged = conversation.connected();
    conversation.ended();
    answer();
    await expect(judged).resolves.toBeUndefined();
  }
});

test("a check sees what the one before it found", async () => {
  const told: unknown[] = [];
  const conversation = conversationWith(
    () => pass({ junkReason: "a bad network" }),
    (session, facts) => {
      told.push([session.address, session.isLoopback, facts.junkReason]);
      return pass();
    },
  );
  await conversation.connected();
  expect(told).toEqual([["192.0.2.1", false, "a bad network"]]);
});
