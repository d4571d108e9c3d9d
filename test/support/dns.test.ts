import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type DnsServer, startDns } from "./dns.ts";

describe("the DNS server for tests", () => {
  let dns: DnsServer;
  beforeAll(async () => {
    dns = await startDns({
      "example.test": { MX: [{ preference: 10, exchange: "mx.example.test" }], TXT: "v=spf1 -all" },
      "mx.example.test": { A: "127.0.0.1", AAAA: "::1" },
      "www.example.test": { CNAME: "mx.example.test" },
    });
  });
  afterAll(() => dns.stop());

  it("answers the record types of its zone, whatever the case of the name", async () => {
    const resolver = dns.resolver();
    expect(await resolver.resolveMx("Example.TEST")).toMatchObject([{ priority: 10, exchange: "mx.example.test" }]);
    expect(await resolver.resolve4("mx.example.test")).toEqual(["127.0.0.1"]);
    expect(await resolver.resolve6("mx.example.test")).toEqual(["::1"]);
    expect(await resolver.resolve4("www.example.test")).toEqual(["127.0.0.1"]);
    expect(await resolver.resolveTxt("example.test")).toEqual([["v=spf1 -all"]]);
  });

  it("distinguishes an unknown name from a name without the type", async () => {
    const resolver = dns.resolver();
    await expect(resolver.resolve4("nobody.test")).rejects.toMatchObject({ code: "ENOTFOUND" });
    await expect(resolver.resolve4("example.test")).rejects.toMatchObject({ code: "ENODATA" });
  });

  it("splits long texts, sends what is too long over TCP, and counts", async () => {
    const text = "k".repeat(700);
    dns.set("sel._domainkey.example.test", "TXT", [text, "é".repeat(400)]);
    const found = await dns.resolver().resolveTxt("sel._domainkey.example.test");
    expect(found.map((parts) => parts.length)).toEqual([3, 4]);
    expect(found[0]?.join("")).toBe(text);
    expect(dns.queries.some((query) => query.tcp)).toBe(true);
    expect(dns.count("sel._domainkey.example.test", "TXT")).toBe(2);
  });

  it("can change its zone and fail at run time", async () => {
    dns.set("late.test", "A", "127.0.0.2");
    expect(await dns.resolver().resolve4("late.test")).toEqual(["127.0.0.2"]);
    dns.fail("late.test", "SERVFAIL");
    await expect(dns.resolver().resolve4("late.test")).rejects.toMatchObject({ code: "ESERVFAIL" });
    dns.fail("late.test", undefined);
    dns.remove("late.test");
    await expect(dns.resolver().resolve4("late.test")).rejects.toMatchObject({ code: "ENOTFOUND" });
  });
});
