import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { until } from "../support/ports.ts";
import { startServer, type TestServer } from "../support/server.ts";

let server: TestServer;
afterEach(() => server.dispose());

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};
const logged = (event: string) =>
  server.output
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as { msg: string; level: string })
    .filter(({ msg }) => msg === event);

test("a second signal ends the server and its database at once", async () => {
  server = await startServer({ isEmbedded: true, env: { POSTHORN_DEMO: "false" } });
  const { pid } = server;
  const postgres = server.postgresPid();
  const slow = connect(server.httpPort, "127.0.0.1");
  slow.on("error", () => {});
  slow.write("POST /jmap/api HTTP/1.1\r\nHost: here\r\nContent-Length: 9\r\n\r\n");
  await sleep(200);
  const ended = once(server.child, "exit");
  process.kill(pid, "SIGTERM");
  await sleep(1_200);
  expect(isAlive(pid)).toBe(true);
  process.kill(pid, "SIGINT");
  expect(await ended).toEqual([1, null]);
  slow.destroy();
  await until("the end of the database", () => !isAlive(postgres));
  await server.restart();
}, 60_000);

test("a database that dies causes a few log lines, not one for each connection", async () => {
  server = await startServer({ isEmbedded: true, env: { POSTHORN_DEMO: "false" } });
  // Opens as many connections as the pool may hold.
  await Promise.all(Array.from({ length: 60 }, () => fetch(`${server.url}/readyz`)));
  process.kill(server.postgresPid(), "SIGKILL");
  await until("its return", () => logged("Postgres is back").length > 0, { timeoutMs: 20_000 });
  await server.ready();
  await until("a listener", async () => (await server.cli(["account", "list"])).code === 0);
  expect(logged("Postgres died; restarting it")).toHaveLength(1);
  expect(logged("database connections lost").length).toBeLessThanOrEqual(1);
  expect(logged("listening connection lost")).toHaveLength(1);
}, 60_000);
