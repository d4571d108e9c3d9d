import type { IncomingMessage } from "node:http";
import { describe, expect, test } from "vitest";
import { silentLog } from "../../base/log.ts";
import { Proxies } from "./address.ts";

/** A request as the HTTP server passes it on. */
function from(remoteAddress: string | undefined, headers: Record<string, string> = {}): IncomingMessage {
  return { socket: { remoteAddress }, headers: { host: "mail.example", ...headers } } as unknown as IncomingMessage;
}

const warnings: object[] = [];
const log = { ...silentLog, warn: (fields: object) => void warnings.push(fields) };
const none = new Proxies({ trusted: [], publicUrl: "", log });
const some = new Proxies({
  trusted: ["127.0.0.1/32", "::1", "10.1.0.0/16", "2001:db8:ff::/48"],
  publicUrl: "",
  log: silentLog,
});

describe("the client's address", () => {
  test.each([
    ["127.0.0.1", "198.51.100.7", "198.51.100.7"],
    ["::ffff:127.0.0.1", "198.51.100.7", "198.51.100.7"],
    ["::1", "2001:DB8::7", "2001:DB8::7"],
    ["127.0.0.1", "203.0.113.9, 198.51.100.7", "198.51.100.7"],
    ["127.0.0.1", "203.0.113.9, 198.51.100.7, 10.1.2.3", "198.51.100.7"],
    ["127.0.0.1", "203.0.113.9,198.51.100.7,2001:db8:ff::1,10.1.2.3", "198.51.100.7"],
    ["10.1.9.9", "198.51.100.7:4711", "198.51.100.7"],
    ["10.1.9.9", "[2001:db8::7]:4711", "2001:db8::7"],
    ["10.1.9.9", "::ffff:198.51.100.7", "198.51.100.7"],
    // All hops are proxies: the farthest is the nearest we get to the client.
    ["127.0.0.1", "10.1.2.3, 10.1.2.4", "10.1.2.3"],
    // Nothing is believed of a hop that is not an address, nor of those left of it.
    ["127.0.0.1", "203.0.113.9, unknown, 10.1.2.4", "10.1.2.4"],
    ["127.0.0.1", "nonsense", "127.0.0.1"],
    ["127.0.0.1", "", "127.0.0.1"],
  ])("of %s with X-Forwarded-For: %s is %s", (peer, value, expected) => {
    expect(some.clientAddress(from(peer, { "x-forwarded-for": value }))).toBe(expected);
  });

  test.each([
    ["for=198.51.100.7", "198.51.100.7"],
    ['For="[2001:db8::7]:4711";proto=https', "2001:db8::7"],
    ['for=203.0.113.9, for="198.51.100.7:80";by=10.1.2.3, for=10.1.2.3', "198.51.100.7"],
    ['for="a, for=203.0.113.9", for=198.51.100.7', "198.51.100.7"],
    ["for=203.0.113.9, for=_hidden", "127.0.0.1"],
    ["proto=https", "127.0.0.1"],
    [`for=${"x".repeat(5_000)}, for=198.51.100.7`, "127.0.0.1"],
  ])("with Forwarded: %s is %s", (value, expected) => {
    expect(some.clientAddress(from("127.0.0.1", { forwarded: value }))).toBe(expected);
  });

  test("is the proxy's own if the two headers differ, since the client wrote one of them", () => {
    const headers = { "x-forwarded-for": "198.51.100.7", forwarded: "for=203.0.113.9" };
    expect(some.clientAddress(from("127.0.0.1", headers))).toBe("127.0.0.1");
    const same = { "x-forwarded-for": "198.51.100.7", forwarded: "for=198.51.100.7" };
    expect(some.clientAddress(from("127.0.0.1", same))).toBe("198.51.100.7");
    const silent = { "x-forwarded-for": "198.51.100.7", forwarded: "proto=https" };
    expect(some.clientAddress(from("127.0.0.1", silent))).toBe("198.51.100.7");
  });

  test("is the connection's without a trusted proxy, and the log warns of each peer once", () => {
    expect(none.clientAddress(from("127.0.0.1"))).toBe("127.0.0.1");
    expect(some.clientAddress(from("127.0.0.2", { "x-forwarded-for": "198.51.100.7" }))).toBeUndefined();
    expect(some.clientAddress(from("203.0.113.1", { "x-forwarded-for": "198.51.100.7" }))).toBe("203.0.113.1");
    expect(some.clientAddress(from("203.0.113.1", { forwarded: "for=198.51.100.7" }))).toBe("203.0.113.1");
    expect(warnings).toEqual([]);
    for (let count = 0; count < 3; count++) {
      expect(none.clientAddress(from("127.0.0.1", { "x-forwarded-for": `198.51.100.${count}` }))).toBeUndefined();
      expect(none.clientAddress(from("192.168.1.1", { forwarded: "for=198.51.100.7" }))).toBeUndefined();
    }
    const proxied = from("127.0.0.9", { "x-forwarded-proto": "https" });
    expect([none.baseUrl(proxied), none.clientAddress(proxied)]).toEqual(["http://mail.example", undefined]);
    expect(warnings).toMatchObject([
      { peer: "127.0.0.1", header: "x-forwarded-for", option: "--trusted-proxies" },
      { peer: "192.168.1.1", header: "forwarded" },
      { peer: "127.0.0.9", header: "x-forwarded-proto" },
    ]);
    for (let count = 0; count < 100; count++) none.clientAddress(from(`203.0.113.${count}`, { forwarded: "for=x" }));
    expect(warnings.length).toBeLessThan(20);
  });
});

test("a client that has gone has no address, whatever its headers say", () => {
  for (const proxies of [none, some]) {
    expect(proxies.clientAddress(from(undefined))).toBeUndefined();
    expect(proxies.clientAddress(from(undefined, { "x-forwarded-for": "198.51.100.7" }))).toBeUndefined();
  }
});

test("the server's URL comes from a trusted proxy, otherwise from the request", () => {
  const proxied = { "x-forwarded-proto": "https", "x-forwarded-host": "jmap.example" };
  expect(some.baseUrl(from("127.0.0.1", proxied))).toBe("https://jmap.example");
  expect(some.baseUrl(from("127.0.0.1", { forwarded: 'for=x;proto=https;host="jmap.example:8443"' }))).toBe(
    "https://jmap.example:8443",
  );
  expect(some.baseUrl(from("127.0.0.1", { "x-forwarded-host": "evil.example/?" }))).toBe("http://localhost");
  expect(none.baseUrl(from("127.0.0.1", proxied))).toBe("http://mail.example");
  expect(some.baseUrl(from("203.0.113.1", proxied))).toBe("http://mail.example");
  const named = new Proxies({ trusted: [], publicUrl: "https://jmap.example/x/", log: silentLog });
  expect(named.baseUrl(from("203.0.113.1", proxied))).toBe("https://jmap.example/x");
});

test.each([
  ["one proxy", { "x-forwarded-proto": "http, https", "x-forwarded-host": "evil.test, jmap.example" }],
  [
    "one proxy that also tells the client",
    {
      "x-forwarded-for": "10.1.2.3, 198.51.100.7",
      "x-forwarded-proto": "http, https",
      "x-forwarded-host": "evil.test,jmap.example",
    },
  ],
  [
    "two proxies",
    {
      "x-forwarded-for": "203.0.113.9, 198.51.100.7, 10.1.2.3",
      "x-forwarded-proto": "http, https, http",
      "x-forwarded-host": "evil.test, jmap.example, inner.example",
    },
  ],
  [
    "two proxies of which one tells",
    {
      "x-forwarded-for": "198.51.100.7, 10.1.2.3",
      "x-forwarded-proto": "https",
      "x-forwarded-host": "jmap.example",
    },
  ],
  [
    "one proxy with Forwarded",
    { forwarded: "proto=http;host=evil.test, for=198.51.100.7;proto=https;host=jmap.example" },
  ],
  [
    "two proxies with Forwarded",
    {
      forwarded:
        "for=10.1.2.3;host=evil.test, for=198.51.100.7;proto=https;host=jmap.example, for=10.1.2.3;proto=http;host=inner.example",
    },
  ],
])("the server's URL is what the outermost trusted of %s says, never the client", (_, headers) => {
  expect(some.baseUrl(from("127.0.0.1", headers))).toBe("https://jmap.example");
});
