import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { until } from "../support/ports.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { deliver } from "../support/smtp-client.ts";

const address = "user@home.test";

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ env: { POSTHORN_DEMO: "false", POSTHORN_WORKERS: "2" }, startTimeoutMs: 110_000 });
  await server.addAccount(address, "a long password");
}, 120_000);
afterAll(() => server?.dispose());

test("the processes of a server share the 1,000 places for other servers, and good peers still get one", async () => {
  const sockets: Socket[] = [];
  let greeted = 0;
  let ended = 0;
  const isSettled = () => greeted + ended >= sockets.length;
  for (let at = 0; at < 1_100; at++) {
    const socket = connect({
      port: server.smtpPort,
      host: "127.0.0.1",
      localAddress: `127.${100 + (at >> 8)}.${at & 255}.1`,
    });
    socket.on("error", () => {});
    socket.once("data", (text) => void (text.toString().startsWith("220") && greeted++));
    socket.once("close", () => ended++);
    sockets.push(socket);
    if (at % 50 === 0) await until("an answer to each", isSettled);
  }
  await until("a place or an end for each", isSettled);
  await until("that those beyond the places end", () => ended >= 95, { timeoutMs: 3_000 });
  expect(sockets.length - ended).toBeGreaterThan(950);
  const data = "From: a@there.test\r\nSubject: good\r\n\r\nHello.\r\n";
  expect(await deliver({ port: server.smtpPort, from: "a@there.test", to: address, data })).toMatch(/^250 /);
  for (const socket of sockets) socket.destroy();
});
