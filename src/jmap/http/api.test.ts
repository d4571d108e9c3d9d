import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, expect, test } from "vitest";
import { createHttpWorld, type HttpWorld, known } from "../../../test/support/http-world.ts";
import { until } from "../../../test/support/ports.ts";
import { capabilities } from "../capability-names.ts";

let world: HttpWorld;
beforeAll(async () => {
  world = await createHttpWorld();
});

test("octets are released even if an answer waits behind others when its connection ends", async () => {
  const { services } = world.deps;
  const { octets } = services;
  const leased: number[] = [];
  const released = new Set<number>();
  const leasing = octets.leased.bind(octets);
  octets.leased = (work) => {
    const id = leased.push(leased.length);
    return leasing(work).finally(() => released.add(id));
  };
  const body = JSON.stringify({
    using: [capabilities.core],
    methodCalls: [["Core/echo", { text: "x".repeat(9_000_000) }, "0"]],
  });
  const authorization = `Basic ${Buffer.from(`${known.user}:${known.password}`).toString("base64")}`;
  const head = `POST /jmap/api HTTP/1.1\r\nHost: here\r\nAuthorization: ${authorization}\r\nContent-Type: application/json`;
  const socket = connect(world.port, "127.0.0.1").on("error", () => undefined);
  socket.pause();
  for (let count = 0; count < 3; count++) socket.write(`${head}\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  await until("three leases", async () => leased.length === 3);
  await sleep(300);
  expect(released.size).toBe(0);
  socket.destroy();
  await until("three releases", async () => released.size === 3);
});
