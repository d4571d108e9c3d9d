import { connect } from "node:net";
import { expect, test } from "vitest";
import { createEndpoints, listening, owner, portOf } from "../../../test/support/endpoints.ts";

/** What only a socket or a stream can send: bodies that stop or never end, odd request lines, upgrades. */
const { deps, server, url, account, full } = await createEndpoints();

const post = (body: string, headers: object = {}, to = "api") =>
  fetch(`${url}/jmap/${to}`, {
    method: "POST",
    headers: { ...owner, "Content-Type": "application/json", ...headers },
    body,
  });
/** Sends a body of unknown length. */
const stream = (path: string, chunks: Buffer[]) =>
  fetch(url + path, {
    method: "POST",
    headers: { ...owner, "Content-Type": "application/json" },
    body: ReadableStream.from(chunks),
    duplex: "half",
  } as RequestInit);

test("a client that sends a whole body that is too large before it reads still gets the answer", async () => {
  // More than the socket buffers hold.
  const body = "x".repeat(900_000);
  for (const headers of [{}, { Authorization: "Bearer bad" }, { "Content-Type": "text/plain" }]) {
    expect((await post(body, headers)).status).toBeLessThan(500);
  }
  for (const to of [`upload/${account}/`, "upload/nonsense/"]) {
    const response = await post(body, {}, to);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    expect(response.headers.get("connection")).toBe("keep-alive");
  }
  const far = await post("x".repeat(3_000_000)).catch(() => undefined);
  expect(far?.headers.get("connection") ?? "close").toBe("close");
});

test("limits of size hold for bodies of unknown length", async () => {
  const request = await stream(
    "/jmap/api",
    Array.from({ length: 10 }, () => Buffer.alloc(1000, 0x20)),
  );
  expect(await request.json()).toMatchObject({ limit: "maxSizeRequest" });
  const upload = await stream(`/jmap/upload/${full}/`, [Buffer.from("01234567890")]);
  expect(upload.status).toBe(507);
});

test("a refusal that fails itself ends its connection, and nothing else", async () => {
  const away = () => {
    throw new Error("away");
  };
  const services = { ...deps.services, random: away };
  const failing = await listening({ ...deps, services, authenticator: { authenticate: away }, ready: away });
  const at = `http://127.0.0.1:${portOf(failing)}`;
  await expect(fetch(`${at}/jmap/api`, { method: "POST" })).rejects.toThrow();
  await expect(fetch(`${at}/readyz`)).rejects.toThrow();
  expect((await fetch(`${at}/healthz`)).status).toBe(200);
});

test("the WebSocket endpoint asks for an upgrade when a request is not a handshake", async () => {
  const plain = await fetch(`${url}/jmap/ws`, { headers: owner });
  expect(plain.status).toBe(426);
  expect(Object.fromEntries(plain.headers)).toMatchObject({ upgrade: "websocket", connection: "Upgrade" });
  expect(await plain.json()).toMatchObject({ type: "about:blank", status: 426 });
  const posted = await fetch(`${url}/jmap/ws`, { method: "POST", headers: owner });
  expect([posted.status, posted.headers.get("allow")]).toEqual([405, "GET, HEAD, OPTIONS"]);
});

test("request lines, hosts and upgrades that are not of a URL are refused", async () => {
  const raw = (text: string) =>
    new Promise<string>((resolve) => {
      const socket = connect(portOf(server), "127.0.0.1", () => socket.write(text));
      let answer = "";
      socket.on("data", (chunk) => {
        answer += chunk;
        socket.destroy();
      });
      socket.on("close", () => resolve(answer));
    });
  expect(await raw("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")).toMatch(/^HTTP\/1.1 200/);
  expect(await raw("GET /healthz HTTP/1.0\r\n\r\n")).toMatch(/^HTTP\/1.1 200/);
  for (const host of ["Host: x\r\nHost: x", "Host: x\r\nX: y\r\nhost: z", "Host: x/y", "Host: a@b", "X: y"]) {
    for (const line of ["GET /healthz", "OPTIONS /jmap/api", "POST /jmap/api"]) {
      expect(await raw(`${line} HTTP/1.1\r\n${host}\r\n\r\n`), host).toMatch(/^HTTP\/1.1 400/);
    }
  }
  expect(await raw("GET // HTTP/1.1\r\nHost: x\r\n\r\n")).toMatch(/^HTTP\/1.1 404/);
  const upgrade = (protocol: string) => `Host: x\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`;
  expect(await raw(`GET // HTTP/1.1\r\n${upgrade("websocket")}`)).toMatch(/^HTTP\/1.1 404/);
  expect(await raw(`GET /healthz HTTP/1.1\r\n${upgrade("h2c")}`)).toMatch(/^HTTP\/1.1 200/);
});
