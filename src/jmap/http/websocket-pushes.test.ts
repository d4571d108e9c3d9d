import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { echo, WebSocketWorld } from "../../../test/support/websocket-world.ts";

const world = new WebSocketWorld();

describe("pushes, RFC 8887 §4.3.5", () => {
  it("come once enabled, with a push state, until disabled", async () => {
    const { send, next } = await world.open();
    send({ "@type": "WebSocketPushEnable", dataTypes: ["Email"] });
    send({ "@type": "Request", id: "R1", ...echo });
    await next();
    world.bus.publish({ accountId: 1, changed: { Email: "1-6", Mailbox: "1-6" } });
    expect(await next()).toEqual({
      "@type": "StateChange",
      changed: { u1: { Email: "1-6" } },
      pushState: expect.any(String),
    });
    expect(world.heard.told).toEqual([["pushSent", { channel: "websocket", lagSeconds: expect.any(Number) }]]);
    send({ "@type": "WebSocketPushDisable" });
    send({ "@type": "Request", id: "R2", ...echo });
    expect((await next()).requestId).toBe("R2");
    world.bus.publish({ accountId: 1, changed: { Email: "1-7" } });
    send({ "@type": "Request", id: "R3", ...echo });
    expect((await next()).requestId).toBe("R3");
  });

  it("begin with the changes since an older push state", async () => {
    const first = await world.open();
    first.send({ "@type": "WebSocketPushEnable", dataTypes: null, pushState: null });
    first.send({ "@type": "Request", ...echo });
    await first.next();
    world.bus.publish({ accountId: 1, changed: { Email: "1-6" } });
    const { pushState } = await first.next();
    world.modseq = 8;
    const second = await world.open();
    second.send({ "@type": "WebSocketPushEnable", dataTypes: ["Email", "Thread"], pushState });
    expect((await second.next()).changed).toEqual({ u1: { Email: "1-8", Thread: "1-8" } });
  });

  it("follow the last of many choices", async () => {
    const { send, next } = await world.open();
    for (let index = 0; index < 50; index++) send({ "@type": "WebSocketPushEnable", dataTypes: ["Mailbox"] });
    send({ "@type": "WebSocketPushEnable", dataTypes: ["Thread"] });
    send({ "@type": "Request", ...echo });
    await next();
    world.bus.publish({ accountId: 1, changed: { Mailbox: "1-6", Email: "1-6", Thread: "1-6" } });
    expect((await next()).changed).toEqual({ u1: { Thread: "1-6" } });
  });
});

describe("a connection ends", () => {
  it("when its credential is revoked, not when another of its login is", async () => {
    const { send, next, closed } = await world.open();
    world.bus.publish({ credential: "ann@example.org" });
    await new Promise((resolve) => setTimeout(resolve, 20));
    send({ "@type": "Request", id: "R1", ...echo });
    expect((await next()).requestId).toBe("R1");
    world.revoked = true;
    world.bus.publish({ credential: "ann@example.org" });
    expect(await closed).toEqual({ code: 1008, reason: "credentials changed: authenticate again" });
  });

  it("at the next request if its credentials are no longer valid", async () => {
    const { send, closed } = await world.open();
    world.revoked = true;
    send({ "@type": "Request", ...echo });
    expect((await closed).code).toBe(1008);
  });

  it("when the server drains, after its answers", async () => {
    const slow = Promise.withResolvers<object>();
    world.work = () => slow.promise;
    const { send, next, closed } = await world.open();
    send({ "@type": "Request", id: "R1", ...echo });
    await new Promise((resolve) => setTimeout(resolve, 50));
    world.draining.abort();
    slow.resolve({});
    expect((await next()).requestId).toBe("R1");
    expect((await closed).code).toBe(1001);
    expect(await world.refusal(world.connect())).toMatchObject({ status: 503 });
  });

  it("at a random moment of a restart, after its answers, and until then all is served", async () => {
    const slow = Promise.withResolvers<object>();
    world.work = () => slow.promise;
    const { send, next, closed } = await world.open();
    world.draining.abort("restart");
    send({ "@type": "Request", id: "R1", ...echo });
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    slow.resolve({});
    expect((await next()).requestId).toBe("R1");
    expect((await closed).code).toBe(1012);
    const late = await world.open();
    expect((await late.closed).code).toBe(1012);
  });

  it("when the client gives no sign of life", async () => {
    world.deps.pingIntervalMs = 50;
    const client = world.connect({ autoPong: false });
    await once(client, "close");
  });
});
