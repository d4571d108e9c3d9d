import { randomBytes } from "node:crypto";
import { createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Knot, startKnot, whyNoKnot } from "../../../test/support/knot.ts";
import { BadTsigKey, isSigned, readTsigKey, signed } from "./tsig.ts";
import { UpdateRefused, updateZone, type Wish } from "./update.ts";
import { BadDnsName, lastRecordAt, recordData, updateMessage, wireName } from "./wire.ts";

describe.skipIf(whyNoKnot)("a zone of a real DNS server", () => {
  let knot: Knot;
  beforeAll(async () => {
    knot = await startKnot({
      "here.test": [
        '@ TXT "site-verification=1"',
        '@ TXT "v=spf1 a -all"',
        "@ MX 10 mx.far.test.",
        "autoconfig A 192.0.2.9",
        '_dmarc TXT "v=DMARC1; p=none"',
      ],
    });
  });
  afterAll(() => knot?.stop());

  const update = (wishes: Wish[], more: { key?: string; domain?: string; now?: Date } = {}) =>
    updateZone(
      { address: "127.0.0.1", port: knot.port, key: readTsigKey(more.key ?? knot.key) },
      { domain: more.domain ?? "here.test", wishes, random: randomBytes, now: more.now ?? new Date() },
    );
  const wish = (name: string, type: Wish["type"], value: string, replaces = false): Wish => ({
    name,
    type,
    value,
    replaces,
  });

  test("gets records of every kind, also for a domain below it", async () => {
    const long = `v=DKIM1; k=rsa; p=${"A".repeat(400)}`;
    const zone = await update([
      wish("mail.here.test", "A", "192.0.2.7"),
      wish("mail.here.test", "AAAA", "2001:db8::7"),
      wish("k._domainkey.here.test", "TXT", `"${long.slice(0, 255)}" "${long.slice(255)}"`),
      wish("_jmap._tcp.here.test", "SRV", "0 1 443 mail.here.test."),
      wish("mta-sts.here.test", "CNAME", "mail.here.test."),
    ]);
    expect(zone).toBe("here.test");
    expect(await update([wish("sub.here.test", "MX", "10 mail.here.test.")], { domain: "sub.here.test" })).toBe(
      "here.test",
    );
    const dns = knot.resolver();
    expect(await dns.resolve4("mail.here.test")).toEqual(["192.0.2.7"]);
    expect(await dns.resolve6("mail.here.test")).toEqual(["2001:db8::7"]);
    expect((await dns.resolveTxt("k._domainkey.here.test")).map((strings) => strings.join(""))).toEqual([long]);
    expect(await dns.resolveSrv("_jmap._tcp.here.test")).toEqual([
      expect.objectContaining({ priority: 0, weight: 1, port: 443, name: "mail.here.test" }),
    ]);
    expect(await dns.resolveCname("mta-sts.here.test")).toEqual(["mail.here.test"]);
    expect((await dns.resolveMx("sub.here.test"))[0]).toMatchObject({ priority: 10, exchange: "mail.here.test" });
  });

  test("what is replaced goes, and what others have beside it stays", async () => {
    await update([
      wish("here.test", "TXT", '"v=spf1 mx a -all"', true),
      wish("here.test", "MX", "10 mail.here.test.", true),
      wish("autoconfig.here.test", "CNAME", "mail.here.test.", true),
      wish("_dmarc.here.test", "TXT", '"v=DMARC1; p=reject"', true),
    ]);
    const dns = knot.resolver();
    expect((await dns.resolveTxt("here.test")).flat().sort()).toEqual(["site-verification=1", "v=spf1 mx a -all"]);
    expect((await dns.resolveMx("here.test")).map(({ exchange }) => exchange)).toEqual(["mail.here.test"]);
    expect(await dns.resolveCname("autoconfig.here.test")).toEqual(["mail.here.test"]);
    expect(await dns.resolveTxt("_dmarc.here.test")).toEqual([["v=DMARC1; p=reject"]]);
  });

  test("nothing changes without the right key, the right time, or in another zone", async () => {
    const wishes = [wish("evil.here.test", "A", "192.0.2.66")];
    const wrong = `key "posthorn" { algorithm hmac-sha256; secret "${randomBytes(32).toString("base64")}"; };`;
    await expect(update(wishes, { key: wrong })).rejects.toThrow(/does not know the key posthorn/);
    const unknown = knot.key.replace("posthorn", "stranger");
    await expect(update(wishes, { key: unknown })).rejects.toThrow(UpdateRefused);
    const late = new Date(Date.now() - 3_600_000);
    await expect(update(wishes, { now: late })).rejects.toThrow(/clock/);
    await expect(update(wishes, { domain: "other.test" })).rejects.toThrow(/no zone for other\.test/);
    await expect(update([wish("evil.other.test", "A", "192.0.2.66")])).rejects.toThrow(UpdateRefused);
    await expect(knot.resolver().resolve4("evil.here.test")).rejects.toThrow(/ENOTFOUND/);
  });

  test("the other hashes are spoken too", async () => {
    const other = await startKnot({ "far.test": [] }, "hmac-sha512");
    try {
      await updateZone(
        { address: "127.0.0.1", port: other.port, key: readTsigKey(other.key) },
        { domain: "far.test", wishes: [wish("a.far.test", "A", "192.0.2.1")], random: randomBytes, now: new Date() },
      );
      expect(await other.resolver().resolve4("a.far.test")).toEqual(["192.0.2.1"]);
    } finally {
      other.stop();
    }
  });

  test("an answer by somebody in between is not believed", async () => {
    // Passes questions on, and answers updates by itself: all went well, it says.
    const between = createServer((socket) => {
      socket.on("error", () => {});
      socket.on("data", (chunk: Buffer) => {
        const id = chunk.subarray(2, 4);
        const head = Buffer.from([0, 12, ...id, 0xa8, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        socket.write(head);
      });
    });
    // The zone is looked for over UDP, at the same port of another address.
    await new Promise<void>((resolve) => between.listen({ host: "127.0.0.1", port: 0 }, resolve));
    const { port } = between.address() as { port: number };
    const { createSocket } = await import("node:dgram");
    const udp = createSocket("udp4");
    await new Promise<void>((resolve) => udp.bind(port, "127.0.0.1", resolve));
    udp.on("message", (question, from) => {
      const passed = createSocket("udp4");
      passed.on("message", (answer) => {
        udp.send(answer, from.port, from.address);
        passed.close();
      });
      passed.send(question, knot.port, "127.0.0.1");
    });
    const primary = { address: "127.0.0.1", port, key: readTsigKey(knot.key) };
    const what = { domain: "here.test", wishes: [wish("x.here.test", "A", "192.0.2.1")], random: randomBytes };
    await expect(updateZone(primary, { ...what, now: new Date() })).rejects.toThrow(/did not sign/);
    udp.close();
    between.close();
  });
});

test("a server that is away is named", async () => {
  const key = readTsigKey('key "k" { algorithm hmac-sha256; secret "AAAA"; };');
  const what = { domain: "here.test", wishes: [], random: randomBytes, now: new Date() };
  await expect(updateZone({ address: "127.0.0.1", port: 1, key }, what)).rejects.toThrow(
    /127\.0\.0\.1:1 gives no answer/,
  );
});

test("keys are read as BIND and Knot print them, and nothing else is", () => {
  const secret = Buffer.from("secret");
  const text = secret.toString("base64");
  const key = { name: "posthorn.", algorithm: "hmac-sha384", secret };
  expect(readTsigKey(`key "posthorn." {\n\talgorithm hmac-sha384;\n\tsecret "${text}";\n};`)).toEqual(key);
  expect(readTsigKey(`key:\n  - id: posthorn.\n    algorithm: hmac-sha384\n    secret: ${text}\n`)).toEqual(key);
  for (const bad of [
    "",
    "posthorn",
    `key "x" { algorithm hmac-md5; secret "${text}"; };`,
    'key "x" { secret "AA=="; };',
  ])
    expect(() => readTsigKey(bad)).toThrow(BadTsigKey);
});

test("a signature covers every octet of the answer, and that of the request", () => {
  const key = readTsigKey('key "k" { algorithm hmac-sha256; secret "c2VjcmV0"; };');
  const now = new Date("2026-01-01T00:00:00Z");
  const request = signed(updateMessage(7, "here.test", []), key, now);
  // An answer is signed like a request, with the request's signature in front: here the covered part is empty.
  expect(isSigned(request.message, key, { mac: request.mac, now })).toBe(false);
  for (let cut = 0; cut < request.message.length; cut++)
    expect(isSigned(request.message.subarray(0, cut), key, { mac: request.mac, now })).toBe(false);
});

test("names and messages that are none are refused, never looped over", () => {
  for (const name of ["a..b", "x".repeat(64), `${"a.".repeat(130)}b`, "a b", "ä.test"])
    expect(() => wireName(name)).toThrow(BadDnsName);
  expect(() => recordData("AAAA", "no")).toThrow(BadDnsName);
  const message = Buffer.concat([
    Buffer.from([0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 1]),
    Buffer.from([0xc0, 12]),
  ]);
  expect(() => lastRecordAt(message)).toThrow(RangeError);
});
