import { once } from "node:events";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { discovery } from "./discovery.ts";

const about = {
  ...{ hostname: "mail.here.test", submissions: 465, submission: 587 },
  baseUrl: () => "https://mail.here.test",
};
const serve = discovery(about);
const server = createServer((req, res) => {
  if (!serve(req, res)) res.writeHead(404).end("none");
});
beforeAll(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterAll(() => void server.close());

async function get(path: string, host = "autoconfig.here.test", method = "GET") {
  const asked = request({
    port: (server.address() as AddressInfo).port,
    path,
    method,
    headers: { host },
    agent: false,
  });
  asked.end();
  const [res] = await once(asked, "response");
  return { status: res.statusCode as number, type: res.headers["content-type"] as string, body: await text(res) };
}

test("mail programs get the server's doors, at each place where they look", async () => {
  const { status, type, body } = await get("/mail/config-v1.1.xml?emailaddress=ann%40here.test");
  expect([status, type]).toEqual([200, "application/xml; charset=utf-8"]);
  expect(body).toMatch(/<incomingServer type="jmap">\s*<url>https:\/\/mail\.here\.test\/\.well-known\/jmap<\/url>/);
  expect(body).toMatch(/<hostname>mail\.here\.test<\/hostname>\s*<port>465<\/port>\s*<socketType>SSL</);
  expect(body).toMatch(/<port>587<\/port>\s*<socketType>STARTTLS</);
  expect(body).not.toMatch(/type="(imap|pop3)"/);
  expect(body).toContain("<domain>here.test</domain>");
  for (const path of [
    "/mail/config-v1.1.xml",
    "/.well-known/autoconfig/mail/config-v1.1.xml",
    "/.well-known/mail-v1.xml",
  ])
    expect((await get(path)).body).toBe(body);
  expect((await get("/mail/config-v1.1.xml", "autoconfig.here.test", "HEAD")).body).toBe("");
  expect((await get("/mail/config-v1.1.xml", "autoconfig.here.test", "POST")).status).toBe(404);
  expect((await get("/mail/other.xml")).status).toBe(404);
});

test("nothing that a stranger sends gets into the answer, nor does it tell whose domains are here", async () => {
  for (const evil of [
    'x@"><script>alert(1)</script>',
    "x@a<b",
    "x@&amp;",
    "x@a\r\nb.test",
    `x@${"a.".repeat(200)}test`,
  ]) {
    const { body } = await get(`/mail/config-v1.1.xml?emailaddress=${encodeURIComponent(evil)}`);
    expect(body).toContain("<domain>mail.here.test</domain>");
    expect(body).not.toContain("script");
  }
  const stranger = await get("/mail/config-v1.1.xml?emailaddress=x@elsewhere.test");
  const ours = await get("/mail/config-v1.1.xml?emailaddress=x@here.test");
  expect(stranger.body.replaceAll("elsewhere.test", "here.test")).toBe(ours.body);
});
