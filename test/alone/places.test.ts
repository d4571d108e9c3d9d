import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { scaled } from "../support/scale.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { deliver } from "../support/smtp-client.ts";

/** Half as many connections again as there are places. */
const attackers = 1_500;
const lasts = scaled(2_000, 60_000);
const address = "user@home.test";

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ env: { POSTHORN_DEMO: "false" } });
  await server.addAccount(address, "a long password");
}, 120_000);
afterAll(() => server?.dispose());

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Holds a place, and reconnects a moment after losing it. */
class Attacker {
  readonly #from: string;
  readonly #say: (count: number) => string;
  #socket: Socket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(from: string, say: (count: number) => string) {
    this.#from = from;
    this.#say = say;
    this.#open();
  }

  #open(): void {
    const socket = connect({ port: server.smtpPort, host: "127.0.0.1", localAddress: this.#from });
    this.#socket = socket;
    let heard = 0;
    // Answers the first few replies at once, and later ones now and then.
    socket.on("data", () => {
      const text = this.#say(heard++);
      if (text === "") return;
      if (heard < 3) socket.write(text);
      else this.#timer = setTimeout(() => socket.write(text), 1_000);
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      clearTimeout(this.#timer);
      if (!this.#stopped) this.#timer = setTimeout(() => this.#open(), 2_000);
    });
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#socket?.destroy();
  }
}

/** How long each good peer took to hand over a mail during the attack, in ms. */
async function goodPeers(): Promise<number[]> {
  const took: Promise<number>[] = [];
  const end = Date.now() + lasts;
  for (let at = 0; Date.now() < end; at++) {
    const began = performance.now();
    const from = `127.200.${at % 250}.1`;
    const data = `From: a@there.test\r\nSubject: good ${at}\r\n\r\nHello.\r\n`;
    const done = deliver({ port: server.smtpPort, from: "a@there.test", to: address, data, localAddress: from });
    took.push(done.then(() => performance.now() - began));
    await pause(200);
  }
  return Promise.all(took);
}

const everywhere = (at: number) => `127.${100 + (at >> 8)}.${at & 255}.1`;
const tenAddresses = (at: number) => `127.99.0.${1 + (at % 10)}`;
const commands =
  (...list: string[]) =>
  (count: number) =>
    list[Math.min(count, list.length - 1)]!;

test.each([
  ["silence from as many networks", everywhere, () => ""],
  ["NOOP from as many networks", everywhere, commands("EHLO x\r\n", "NOOP\r\n")],
  ["NOOP from ten addresses", tenAddresses, commands("EHLO x\r\n", "NOOP\r\n")],
  ["MAIL from as many networks", everywhere, commands("EHLO x\r\n", "MAIL FROM:<x@x.test>\r\n", "RSET\r\n")],
])("1,500 connections that send only %s do not keep a good peer out", async (_, from, say) => {
  const all: Attacker[] = [];
  for (let at = 0; at < attackers; at++) {
    all.push(new Attacker(from(at), say));
    if (at % 50 === 0) await pause(5);
  }
  try {
    await pause(500);
    const took = (await goodPeers()).sort((a, b) => a - b);
    expect(took.length).toBeGreaterThan(5);
    expect(took.at(-1)).toBeLessThan(2_000);
  } finally {
    for (const attacker of all) attacker.stop();
  }
});
