import { once } from "node:events";
import { type AddressInfo, connect as connectTcp } from "node:net";
import { describe, expect, it } from "vitest";
import { echo, WebSocketWorld } from "../../../test/support/websocket-world.ts";
import { RequestError } from "../errors.ts";

const world = new WebSocketWorld();

describe("the handshake, RFC 8887 §4.1", () => {
  it("speaks the subprotocol jmap, whatever else is offered", async () => {
    const client = world.connect({ protocols: ["other", "jmap"] });
    await once(client, "open");
    expect(client.protocol).toBe("jmap");
  });

  it("refuses a client that doesn't ask for it", async () => {
    expect(await world.refusal(world.connect({ protocols: [] }))).toMatchObject({ status: 400, body: { status: 400 } });
    expect(await world.refusal(world.connect({ protocols: ["other"] }))).toMatchObject({ status: 400 });
  });

  it("needs credentials", async () => {
    const { status, headers, body } = await world.refusal(world.connect({ token: "bad" }));
    expect({ status, body }).toMatchObject({ status: 401, body: { type: "about:blank", status: 401 } });
    expect(headers["www-authenticate"]).toMatch(/^Basic .*, Bearer /);
    expect(headers["content-type"]).toBe("application/problem+json");
  });

  it("requires one Host field", async () => {
    const { port } = world.server.address() as AddressInfo;
    const handshake = (host: string) =>
      new Promise<string>((resolve) => {
        const socket = connectTcp(port, "127.0.0.1", () =>
          socket.write(
            `GET /jmap/ws HTTP/1.1\r\n${host}Authorization: Bearer good\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MTIzNDU2Nzg5MDEyMzQ1Ng==\r\nSec-WebSocket-Protocol: jmap\r\n\r\n`,
          ),
        );
        socket.once("data", (chunk) => {
          resolve(String(chunk).slice(9, 12));
          socket.destroy();
        });
      });
    expect(await handshake("Host: x\r\n")).toBe("101");
    for (const host of ["", "Host: x\r\nHost: x\r\n", "Host: x/y\r\n"]) expect(await handshake(host)).toBe("400");
  });

  it("refuses Basic credentials from a page of another origin, since a browser may have added them", async () => {
    const from = (origin: string, authorization: string) => world.connect({ headers: { authorization }, origin });
    for (const origin of ["https://evil.example", "null", "http://127.0.0.1:1"]) {
      expect(await world.refusal(from(origin, "Basic good"))).toMatchObject({ status: 403 });
      const { body } = await world.refusal(from(origin, "Basic good"));
      expect(body.detail).toContain(world.url.replace(/^ws(.*)\/jmap\/ws$/, "http$1"));
      expect(body.detail).toContain("--public-url");
    }
    const options = "--public-url, --trusted-origins";
    expect(world.warnings).toMatchObject([
      { origin: "https://evil.example", options },
      { origin: "null" },
      { options },
    ]);
    const trusted = from("https://webmail.example", "Basic good");
    await once(trusted, "open");
    trusted.close();
    await once(trusted, "close");
    await once(from("https://evil.example", "Bearer good"), "open");
    await once(from(world.url.replace("ws", "http"), "Basic good"), "open");
  });

  it("is refused with 429 while guesses are throttled", async () => {
    expect(await world.refusal(world.connect({ token: "busy" }))).toMatchObject({ status: 429 });
  });

  it("opens at most the login's limit", async () => {
    const [first] = await Promise.all([world.open(), world.open()]);
    expect(await world.refusal(world.connect())).toMatchObject({ status: 429 });
    first.client.close();
    await first.closed;
    await world.open();
  });
});

describe("requests, RFC 8887 §4.3", () => {
  it("are answered whole, in text frames, with strings of many megabytes", async () => {
    const text = "Grüße 😀\n".repeat(300_000);
    const { send, next } = await world.open();
    world.work = async ({ methodCalls }, octets) => {
      if (!methodCalls) octets.take(text.length);
      return { methodResponses: methodCalls, text: methodCalls ? "" : text };
    };
    send({ "@type": "Request", id: "long" });
    send({ "@type": "Request", id: "short", ...echo });
    const answers = [await next(), await next()];
    expect(answers.map(({ requestId }) => requestId).sort()).toEqual(["long", "short"]);
    expect(answers.find(({ requestId }) => requestId === "long")!.text === text).toBe(true);
  });

  it("are answered with their id, or without one", async () => {
    const { send, next } = await world.open();
    send({ "@type": "Request", id: "R1", ...echo });
    const answer = { "@type": "Response", methodResponses: echo.methodCalls, sessionState: "s" };
    expect(await next()).toEqual({ ...answer, requestId: "R1" });
    send({ "@type": "Request", ...echo });
    expect(await next()).toEqual(answer);
  });

  it("reach the API without the members that WebSocket adds", async () => {
    const bodies: Record<string, unknown>[] = [];
    world.work = async (body) => {
      bodies.push(body);
      return {};
    };
    const { send, next } = await world.open();
    send({ "@type": "Request", id: "R1", createdIds: { a: "b" }, ...echo });
    await next();
    expect(bodies).toEqual([{ createdIds: { a: "b" }, ...echo }]);
    expect(world.agents).toEqual(["Mailer/1"]);
  });

  it("may overtake each other", async () => {
    const slow = Promise.withResolvers<object>();
    world.work = (body) => (body.createdIds ? slow.promise : Promise.resolve({}));
    const { send, next } = await world.open();
    send({ "@type": "Request", id: "slow", createdIds: {}, ...echo });
    send({ "@type": "Request", id: "fast", ...echo });
    expect((await next()).requestId).toBe("fast");
    slow.resolve({});
    expect((await next()).requestId).toBe("slow");
  });

  it("that are refused name their request and leave the connection open", async () => {
    world.work = async () => {
      throw new RequestError("limit", 400, "Too many requests at once.", "maxConcurrentRequests");
    };
    const { send, next } = await world.open();
    send({ "@type": "Request", id: "R1", ...echo });
    expect(await next()).toEqual({
      "@type": "RequestError",
      requestId: "R1",
      type: "urn:ietf:params:jmap:error:limit",
      status: 400,
      detail: "Too many requests at once.",
      limit: "maxConcurrentRequests",
    });
    world.work = async () => {
      throw new Error("SELECT secret");
    };
    send({ "@type": "Request", id: "R2", ...echo });
    const failure = await next();
    expect(failure).toMatchObject({ "@type": "RequestError", requestId: "R2", status: 500 });
    expect(JSON.stringify(failure)).not.toContain("secret");
  });

  it.each([
    ["{", "notJSON", null],
    ['{"@type":"Request","id":"a","id":"b"}', "notJSON", null],
    ["[1]", "notRequest", null],
    ["null", "notRequest", null],
    ["{}", "notRequest", null],
    ['{"@type":"Response","id":"x"}', "notRequest", "x"],
    ['{"@type":"Request","id":7}', "notRequest", null],
    ['{"@type":"WebSocketPushEnable","dataTypes":"Email"}', "notRequest", null],
    ['{"@type":"WebSocketPushEnable","dataTypes":null,"pushState":7}', "notRequest", null],
  ])("%s is refused with %s", async (text, problem, requestId) => {
    const { send, next } = await world.open();
    send(text);
    expect(await next()).toMatchObject({
      "@type": "RequestError",
      requestId,
      type: `urn:ietf:params:jmap:error:${problem}`,
      status: 400,
    });
    send({ "@type": "Request", id: "after", ...echo });
    expect((await next()).requestId).toBe("after");
  });

  it("are refused with 503 while nothing can be stored", async () => {
    world.work = () => Promise.reject(Object.assign(new Error("no space left"), { code: "ENOSPC" }));
    const { send, next } = await world.open();
    send({ "@type": "Request", id: "R1", ...echo });
    const detail = "Nothing can be stored at the moment: try again later.";
    expect(await next()).toMatchObject({ "@type": "RequestError", requestId: "R1", status: 503, detail });
  });

  it("over the limit are refused, and far over it end the connection", async () => {
    const { send, next, closed } = await world.open();
    send({ "@type": "Request", pad: "x".repeat(100_001) });
    expect(await next()).toMatchObject({ "@type": "RequestError", requestId: null, limit: "maxSizeRequest" });
    send("x".repeat(2_000_000));
    expect((await closed).code).toBe(1009);
  });

  it("come in text frames", async () => {
    const { client, closed } = await world.open();
    client.send(Buffer.from(JSON.stringify({ "@type": "Request", ...echo })));
    expect((await closed).code).toBe(1003);
  });

  it("wait when their answers aren't read", async () => {
    let answered = 0;
    world.work = async () => {
      answered++;
      return { pad: "x".repeat(1_000_000 + answered) };
    };
    const { client, send } = await world.open();
    client.pause();
    for (let index = 0; index < 200; index++) send({ "@type": "Request", pad: "y".repeat(50_000), ...echo });
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(answered).toBeLessThan(200);
    client.resume();
    await expect.poll(() => answered, { timeout: 20_000 }).toBe(200);
  });
});
