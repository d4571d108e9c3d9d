import type { Resolver } from "node:dns/promises";
import { once } from "node:events";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { makeAuthority } from "../../../test/support/authority.ts";
import { TestClient, testLogin, testServices } from "../../../test/support/jmap.ts";
import { createMailServices } from "../../../test/support/mail.ts";
import { createTestAccount, createTestStore } from "../../../test/support/postgres.ts";
import { encodeId, idPrefix } from "../../base/ids.ts";
import { prepareMessage } from "../../mail/deliver/prepare.ts";
import { Poster } from "../../push/webpush/post.ts";
import type { Authentication } from "../../store/core/db.ts";
import type { Store } from "../../store/core/store.ts";
import { capabilities } from "../capability-names.ts";
import type { Services } from "../method.ts";
import { methods } from "../methods.ts";

interface Asked {
  method: string | undefined;
  url: string | undefined;
  headers: Record<string, unknown>;
  body: string;
}

/** A real list server, whose certificate is trusted while the file runs. */
let lists: Server;
let port: number;
let status = 200;
const asked: Asked[] = [];
const before = getCACertificates("default");

let store: Store;
let services: Services;
let account: number;
let client: TestClient;
let count = 0;

/** Every name leads here. */
const resolver = { resolve4: async () => ["127.0.0.1"], resolve6: async () => [] } as unknown as Resolver;

beforeAll(async () => {
  const authority = await makeAuthority();
  setDefaultCACertificates([...before, authority.cert]);
  const { cert, private: key } = await authority.certify("lists.shop.test");
  lists = createServer({ cert, key }, async (req, res) => {
    let body = "";
    for await (const chunk of req) body += String(chunk);
    asked.push({ method: req.method, url: req.url, headers: req.headers, body });
    res.writeHead(status, status === 302 ? { location: "/elsewhere" } : {}).end();
  }).listen(0, "127.0.0.1");
  await once(lists, "listening");
  port = (lists.address() as AddressInfo).port;
  store = await createTestStore();
});
afterAll(() => {
  lists.close();
  setDefaultCACertificates(before);
});
beforeEach(async () => {
  status = 200;
  asked.splice(0);
  use({ allowPrivateTargets: true });
  account = await createTestAccount(store, `reader${++count}@example.com`);
  client = new TestClient(methods, services, testLogin([account]));
});

function use({ allowPrivateTargets }: { allowPrivateTargets: boolean }, extra: Partial<Services> = {}): void {
  const poster = new Poster({ resolver, allowPrivateTargets });
  services = testServices(store, { ...createMailServices(store), poster, ...extra });
}

const signature = (h: string) => `DKIM-Signature: v=1; a=rsa-sha256; d=shop.test; s=S1;\r\n h=${h};\r\n bh=x; b=y`;
const covering = signature("From:To:List-Unsubscribe:\r\n List-Unsubscribe-Post");
const offer = (host = `lists.shop.test:${port}`) => [
  `List-Unsubscribe: <mailto:leave@shop.test>, <https://${host}/leave?who=7>`,
  "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
];
const dkim = (result: string, domain = "shop.test") => ({ result, domain, selector: "s1" });
const found = (...signatures: Authentication["dkim"]): Authentication => ({
  ...{ spf: { result: "none", domain: null }, dkim: signatures, dmarc: [] },
  ...{ arc: { result: "none", sealers: [] }, bimi: { result: "none", domain: null } },
});

async function receive(lines: string[], authentication: Authentication | undefined = found(dkim("pass"))) {
  const bytes = Buffer.from([...lines, "From: shop@shop.test", "Subject: Sale", "", "Buy.", ""].join("\r\n"));
  const outcome = await services.ingest.add(account, {
    blob: await services.blobs.put(bytes),
    prepared: prepareMessage(bytes),
    ...{ target: { role: "inbox" }, keywords: [], receivedAt: new Date() },
    ...(authentication && { authentication }),
  });
  if (!("email" in outcome)) throw new Error("not delivered");
  return encodeId(idPrefix.email, outcome.email.id);
}

const leave = (emailId: string) => client.call("Unsubscribe/post", { emailId });

describe("a list is left by one click", () => {
  test("when its mail offers that and is signed: by one POST, without a word about the reader", async () => {
    const emailId = await receive([covering, ...offer()]);
    const host = `lists.shop.test:${port}`;
    expect(await leave(emailId)).toMatchObject({ emailId, host, isDone: true, status: 200 });
    expect(asked).toHaveLength(1);
    const [{ method, url, headers, body }] = asked as [Asked];
    expect([method, url, body]).toEqual(["POST", "/leave?who=7", "List-Unsubscribe=One-Click"]);
    expect(headers["content-type"]).toBe("application/x-www-form-urlencoded");
    expect(Object.keys(headers).sort()).toEqual(["connection", "content-length", "content-type", "host", "user-agent"]);
  });

  test("a redirect is not followed, and a refusal is no success", async () => {
    const emailId = await receive([covering, ...offer()]);
    status = 302;
    expect(await leave(emailId)).toMatchObject({ isDone: false, status: 302 });
    status = 500;
    expect(await leave(emailId)).toMatchObject({ isDone: false, status: 500 });
    expect(asked.map(({ url }) => url)).toEqual(["/leave?who=7", "/leave?who=7"]);
  });

  test("a server that is not there, or whose certificate is another's, is no success either", async () => {
    const away = await receive([covering, ...offer("lists.shop.test:1")]);
    const other = await receive([covering, ...offer(`other.test:${port}`)]);
    for (const emailId of [away, other]) expect(await leave(emailId)).toMatchObject({ isDone: false, status: null });
    expect(asked).toEqual([]);
  });

  test("nothing is asked at a private address, by number or by name", async () => {
    use({ allowPrivateTargets: false });
    client = new TestClient(methods, services, testLogin([account]));
    for (const host of [
      `lists.shop.test:${port}`,
      `127.0.0.1:${port}`,
      "169.254.169.254",
      `[::1]:${port}`,
      "localhost",
    ]) {
      expect(await leave(await receive([covering, ...offer(host)]))).toMatchObject({ type: "forbidden" });
    }
    expect(asked).toEqual([]);
  });

  const url = () => offer()[0]!;
  test.each<[string, () => string[], Authentication | undefined]>([
    [
      "the signature does not cover List-Unsubscribe-Post",
      () => [signature("From:List-Unsubscribe"), ...offer()],
      found(dkim("pass")),
    ],
    ["the signature was not valid", () => [covering, ...offer()], found(dkim("fail"))],
    ["another domain's signature was valid", () => [covering, ...offer()], found(dkim("pass", "relay.test"))],
    [
      "one of two signatures of the key was not valid",
      () => [covering, covering, ...offer()],
      found(dkim("pass"), dkim("fail")),
    ],
    [
      "a second signature with the same key covers less",
      () => [signature("From"), covering, ...offer()],
      found(dkim("pass"), dkim("pass")),
    ],
    [
      "somebody put another field in front",
      () => ["List-Unsubscribe: <https://evil.test/>", covering, ...offer()],
      found(dkim("pass")),
    ],
    ["nothing was checked, since a user imported it", () => [covering, ...offer()], undefined],
    ["it does not say One-Click", () => [covering, url()], found(dkim("pass"))],
    [
      "it offers no https",
      () => [covering, "List-Unsubscribe: <http://a.test/>, <mailto:a@a.test>", offer()[1]!],
      found(dkim("pass")),
    ],
  ])("not when %s", async (_, lines, authentication) => {
    // `undefined` would stand for the default.
    const emailId = authentication ? await receive(lines(), authentication) : await unchecked(lines());
    expect(await leave(emailId)).toMatchObject({ type: "forbidden" });
    expect(asked).toEqual([]);
  });

  async function unchecked(lines: string[]): Promise<string> {
    const bytes = Buffer.from([...lines, "From: shop@shop.test", "", "Buy.", ""].join("\r\n"));
    const outcome = await services.ingest.add(account, {
      ...{ blob: await services.blobs.put(bytes), prepared: prepareMessage(bytes), target: { role: "inbox" } },
      ...{ keywords: [], receivedAt: new Date() },
    });
    if (!("email" in outcome)) throw new Error("not delivered");
    return encodeId(idPrefix.email, outcome.email.id);
  }

  test("an email of another account, or none, is not found; and nobody leaves too many lists", async () => {
    const emailId = await receive([covering, ...offer()]);
    const stranger = new TestClient(methods, services, testLogin([await createTestAccount(store)]));
    expect(await stranger.call("Unsubscribe/post", { emailId })).toMatchObject({ type: "invalidArguments" });
    expect(await leave("e999999999")).toMatchObject({ type: "invalidArguments" });
    use({ allowPrivateTargets: true }, { unsubscribes: { count: () => false } });
    client = new TestClient(methods, services, testLogin([account]));
    expect(await leave(await receive([covering, ...offer()]))).toMatchObject({ type: "forbidden" });
    expect(asked).toEqual([]);
  });

  test("it has a capability of its own", () => {
    const method = methods.find(({ name }) => name === "Unsubscribe/post");
    expect(method?.capability).toBe(capabilities.unsubscribe);
  });
});
