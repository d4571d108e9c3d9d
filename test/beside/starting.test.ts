import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { freePorts } from "../support/ports.ts";
import { TestServer } from "../support/server.ts";

let server: TestServer;
afterEach(() => server.dispose());

async function newServer(): Promise<TestServer> {
  server = new TestServer({ isEmbedded: true }, (await freePorts(3)) as [number, number, number]);
  return server;
}

const add = (name: string) => server.cli(["account", "add", `${name}@start.example`, "--password-stdin"], "x\n");
/** Ignores the notice that the command waits. */
function expectWell({ code, stderr }: { code: number; stderr: string }): void {
  expect(stderr.replace(/^posthorn: waiting for the database .*\n/, "")).toBe("");
  expect(code).toBe(0);
}

/** A second server on the same folder, with its own ports. */
async function second() {
  const [http, smtp] = (await freePorts(2)) as [number, number];
  const ports = ["--http", `127.0.0.1:${http}`, "--smtp", `127.0.0.1:${smtp}`, "--metrics", "off"];
  return server.cli(["serve", ...ports]);
}

test("commands run during a server's first start share its database, whichever is first", async () => {
  await newServer();
  const early = [add("before")];
  await sleep(100);
  server.spawn();
  for (let at = 0; at < 8; at++) {
    early.push(add(`n${at}`));
    await sleep(300);
  }
  for (const result of await Promise.all(early)) expectWell(result);
  await server.ready();
  expect(await second()).toMatchObject({
    code: 1,
    stderr: `posthorn: ${server.dataFolder} is in use by another posthorn (pid ${server.pid})\n`,
  });
  const { stdout } = await server.cli(["account", "list"]);
  for (const name of ["before", "n0", "n7"]) expect(stdout).toContain(`${name}@start.example`);
}, 120_000);

test("commands run at the same time, and during a restart, all succeed", async () => {
  await newServer();
  await add("first");
  for (const result of await Promise.all([add("a"), add("b"), add("c")])) expectWell(result);
  for (const round of [1, 2]) {
    server.spawn();
    const during: ReturnType<typeof add>[] = [];
    for (let at = 0; at < 4; at++) {
      await sleep(150);
      during.push(add(`r${round}x${at}`));
    }
    for (const result of await Promise.all(during)) expectWell(result);
    await server.ready();
    await server.stop();
  }
  expect((await server.cli(["doctor"])).stdout).toContain("All is well.");
}, 120_000);
