import { setTimeout as sleep } from "node:timers/promises";
import { type Client, one } from "../conformance/client/client.ts";
import { SmtpConnection, type Target } from "../conformance/client/smtp.ts";
import type { GetResult } from "../conformance/client/types.ts";
import { openWebSocket } from "../conformance/client/websocket.ts";
import { watchCpu } from "./cpu.ts";
import { type Figures, median, middle, percentile } from "./measure.ts";
import { type Box, nextMail } from "./scenarios.ts";

export type Route = Target & { address: string };
const sender = "sender@bench.example";

async function inboxTotal(client: Client, inbox: string): Promise<number> {
  const { list } = await one<GetResult<{ totalEmails: number }>>(client, "Mailbox/get", {
    ids: [inbox],
    properties: ["totalEmails"],
  });
  return list[0]?.totalEmails ?? Number.NaN;
}

/** SMTP in to the inbox: the clock stops when the last message is counted there. */
export async function smtpIn(
  box: Box,
  route: Route,
  connections: number,
  rounds: number,
  roots: number[],
  database: number[],
): Promise<Figures> {
  const perRound = connections === 1 ? 60 : 320;
  const figures: Omit<Figures, "rounds">[] = [];
  const lines = await Promise.all(Array.from({ length: connections }, () => SmtpConnection.greet(route)));
  for (let round = 0; round < rounds; round++) {
    const mails = Array.from({ length: perRound }, () => nextMail(box.owner));
    const goal = (await inboxTotal(box.main, box.inbox)) + perRound;
    const times: number[] = [];
    const cpuUsed = watchCpu(roots, database);
    const start = performance.now();
    await Promise.all(
      lines.map(async (line) => {
        for (let data = mails.pop(); data; data = mails.pop()) {
          const sent = performance.now();
          await line.send({ from: sender, to: route.address, data });
          times.push(performance.now() - sent);
        }
      }),
    );
    for (let total = 0; total !== goal; ) {
      if (performance.now() - start > 120_000)
        throw new Error(`${goal - total} of ${perRound} messages did not arrive`);
      total = await inboxTotal(box.main, box.inbox);
      if (total !== goal) await sleep(20);
    }
    const seconds = (performance.now() - start) / 1000;
    figures.push({
      perSecond: perRound / seconds,
      p50: median(times),
      p95: percentile(times, 0.95),
      ...cpuUsed(perRound),
      requests: perRound,
    });
  }
  await Promise.all(lines.map((line) => line.quit()));
  return middle(figures);
}

export type PushFigures = { p50: number; p95: number; max: number; within50: number; messages: number };

/** From the SMTP 250 to the push on a WebSocket, at five messages a second. */
export async function pushLatency(box: Box, route: Route, messages: number): Promise<PushFigures> {
  const socket = await openWebSocket(box.main);
  const line = await SmtpConnection.greet(route);
  socket.enablePush(["Email"]);
  // enablePush has no answer: an echo sent after it shows that it was read.
  await socket.request([["Core/echo", {}, "0"]]);
  const times: number[] = [];
  const start = performance.now();
  for (let n = 0; n < messages; n++) {
    const wait = start + n * 200 - performance.now();
    if (wait > 0) await sleep(wait);
    socket.drainPushes();
    await line.send({ from: sender, to: route.address, data: nextMail(box.owner) });
    const accepted = performance.now();
    const { change, at } = await socket.nextPushTimed(10_000);
    if (!change.changed[box.main.accountId]?.Email) throw new Error(`a push without Email: ${JSON.stringify(change)}`);
    // The push may overtake the 250, since the message is delivered at once.
    times.push(Math.max(0, at - accepted));
  }
  await line.quit();
  await socket.close();
  return {
    p50: median(times),
    p95: percentile(times, 0.95),
    max: Math.max(...times),
    within50: times.filter((ms) => ms <= 50).length / times.length,
    messages,
  };
}
