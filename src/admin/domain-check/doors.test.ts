import { createServer as createHttp } from "node:http";
import { createServer as createHttps } from "node:https";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { generate } from "selfsigned";
import { SMTPServer } from "smtp-server";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type DnsServer, startDns } from "../../../test/support/dns.ts";
import { checkDoor, checkOutgoing, type DoorKind } from "./doors.ts";

const hostname = "mail.here.test";
const day = 86_400_000;
const open: { close(done?: () => void): unknown }[] = [];
const sockets: Socket[] = [];
let pair: { cert: string; key: string };
let end: number;

beforeAll(async () => {
  const notAfterDate = new Date(Date.now() + 100 * day);
  end = notAfterDate.getTime();
  const { cert, private: key } = await generate([{ name: "commonName", value: hostname }], {
    keySize: 2048,
    algorithm: "sha256",
    notAfterDate,
    extensions: [
      { name: "basicConstraints", cA: true },
      { name: "subjectAltName", altNames: [{ type: 2, value: hostname }] },
    ],
  });
  pair = { cert, key };
});
afterAll(() => {
  for (const socket of sockets) socket.destroy();
  for (const server of open) server.close();
});

async function listening(server: Server): Promise<number> {
  server.on("connection", (socket) => sockets.push(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  open.push(server);
  return (server.address() as AddressInfo).port;
}
const smtp = (secure = false) =>
  new SMTPServer({ ...pair, secure, authOptional: true, name: hostname }).server as Server;
const look = (kind: DoorKind, port: number, more: { now?: Date; hostname?: string; isHidden?: boolean } = {}) =>
  checkDoor(
    { kind, host: "127.0.0.1", port, isHidden: more.isHidden ?? false },
    { hostname: more.hostname ?? hostname, now: more.now ?? new Date(), maxMs: 500 },
  );

test("doors for mail greet, and show a certificate: one that nobody vouches for does between servers, not for programs", async () => {
  const [relay, secure] = [await listening(smtp()), await listening(smtp(true))];
  expect(await look("smtp", relay)).toEqual([
    expect.objectContaining({ record: `port ${relay}`, state: "right", found: [expect.stringMatching(/^220 /)] }),
    expect.objectContaining({
      state: "wrong",
      needed: false,
      advice: expect.stringContaining("--acme mail.here.test"),
    }),
  ]);
  expect(await look("submissions", secure)).toEqual([
    expect.objectContaining({ state: "right" }),
    expect.objectContaining({ state: "wrong", needed: true, advice: expect.stringContaining("SELF_SIGNED") }),
  ]);
});

test("a certificate that is trusted is right while it lasts, for its own name", async () => {
  const before = getCACertificates();
  setDefaultCACertificates([...before, pair.cert]);
  try {
    const port = await listening(createHttps(pair, (_, res) => res.writeHead(401).end()));
    const certificate = async (more: Parameters<typeof look>[2]) => (await look("https", port, more))[1];
    expect(await certificate({})).toMatchObject({ state: "right", advice: null });
    expect(await certificate({ now: new Date(end - 13 * day) })).toMatchObject({
      state: "wrong",
      advice: expect.stringContaining("ends soon"),
    });
    expect(await certificate({ now: new Date(end + day) })).toMatchObject({
      advice: expect.stringContaining("has ended"),
    });
    expect(await certificate({ hostname: "other.test" })).toMatchObject({
      state: "wrong",
      advice: expect.stringContaining("not for other.test"),
    });
  } finally {
    setDefaultCACertificates(before);
  }
});

test("what is no JMAP, no redirect, no mail server or silent is wrong", async () => {
  const pages = await listening(createHttps(pair, (_, res) => res.writeHead(200).end()));
  expect(await look("https", pages)).toMatchObject([
    { state: "wrong", found: ["no JMAP is served there: HTTP/1.1 200 OK"] },
  ]);
  const plain = await listening(createHttp((_, res) => res.writeHead(200).end()));
  expect(await look("httpRedirect", plain)).toMatchObject([{ state: "wrong", needed: false }]);
  const leads = await listening(createHttp((_, res) => res.writeHead(308, { Location: "https://x/" }).end()));
  expect(await look("httpRedirect", leads)).toMatchObject([{ state: "right" }]);
  const busy = await listening(createServer((socket) => void socket.write("554 no\r\n")));
  expect(await look("smtp", busy)).toMatchObject([{ state: "wrong", found: ["it greets with 554 no"] }]);
  const silent = await listening(createServer(() => {}));
  expect(await look("smtp", silent)).toMatchObject([{ state: "wrong", advice: expect.stringContaining("firewall") }]);
  const endless = await listening(createServer((socket) => void socket.write("220-".repeat(10_000))));
  expect(await look("smtp", endless)).toMatchObject([{ state: "wrong" }]);
  const closes = await listening(createServer((socket) => void socket.end()));
  expect(await look("smtp", closes)).toMatchObject([{ state: "wrong", found: ["the connection was closed"] }]);
  expect(await look("submission", 1)).toMatchObject([
    { state: "wrong", advice: "nothing listens there: start the server with --submission 0.0.0.0:587" },
  ]);
});

test("a door that only this machine reaches is no door for others", async () => {
  const port = await listening(smtp());
  const [first] = await look("smtp", port, { isHidden: true });
  expect(first).toMatchObject({ state: "wrong", advice: expect.stringContaining("--smtp 0.0.0.0:25") });
});

test("mail can leave if the server of the probed domain greets", async () => {
  const port = await listening(smtp());
  const dns: DnsServer = await startDns({
    "far.test": { MX: { preference: 10, exchange: "mx.far.test" } },
    "mx.far.test": { A: "127.0.0.1" },
    "none.test": { A: "127.0.0.1" },
  });
  const probe = (name: string, at: number) => checkOutgoing({ resolver: dns.resolver(), probe: name, port: at });
  expect(await probe("far.test", port)).toMatchObject({ state: "right", found: [expect.stringMatching(/^220 /)] });
  expect(await probe("far.test", 1)).toMatchObject({ state: "wrong", advice: expect.stringContaining("--smarthost") });
  expect(await probe("none.test", port)).toMatchObject({
    state: "unknown",
    advice: expect.stringContaining("--probe"),
  });
  await dns.stop();
});
