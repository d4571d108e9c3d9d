import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type PushService, startPushService } from "../../../test/support/push.ts";
import { Poster, TargetRefused } from "./post.ts";

let service: PushService;
let port: string;
beforeAll(async () => {
  service = await startPushService();
  port = new URL(service.url).port;
});
beforeEach(() => {
  service.pushes.length = 0;
});
afterAll(() => service.close());

const body = Buffer.from("{}");
const nobody = Object.assign(new Error("queryA ENOTFOUND"), { code: "ENOTFOUND" });

/** A resolver that knows these names. */
function resolverOf(names: Record<string, string[]>) {
  const find = async (name: string, is6: boolean) => {
    const found = (names[name] ?? []).filter((address) => address.includes(":") === is6);
    if (found.length === 0) throw nobody;
    return found;
  };
  return {
    resolve4: (name: string) => find(name, false),
    resolve6: (name: string) => find(name, true),
  } as ConstructorParameters<typeof Poster>[0]["resolver"];
}

const strict = (names: Record<string, string[]> = {}) =>
  new Poster({ resolver: resolverOf(names), allowPrivateTargets: false, timeoutMs: 5_000 });
const lenient = (names: Record<string, string[]> = {}, timeoutMs = 5_000) =>
  new Poster({ resolver: resolverOf(names), allowPrivateTargets: true, timeoutMs });

describe("a poster", () => {
  it("refuses a URL whose text shows that it is not public https", () => {
    const poster = strict();
    for (const url of [
      "http://push.example/x",
      "ftp://push.example/x",
      "push.example",
      "",
      "https://127.0.0.1/",
      "https://2130706433/",
      "https://0x7f.1/",
      "https://[::1]/",
      "https://[::ffff:10.0.0.1]/",
      "https://169.254.169.254/latest",
      "https://user:secret@push.example/",
    ]) {
      expect([url, poster.refusal(url)]).toEqual([url, expect.any(String)]);
    }
    expect(poster.refusal("https://push.example/x?y=z")).toBeUndefined();
    expect(lenient().refusal("http://127.0.0.1:1234/")).toBeUndefined();
    expect(lenient().refusal("http://localhost:1234/")).toBeUndefined();
    expect(lenient().refusal("ftp://127.0.0.1/")).toBeDefined();
    expect(lenient().refusal("http://push.example/x")).toBe("must begin with https://");
    expect(lenient().refusal("http://9.9.9.9/x")).toBe("must begin with https://");
  });

  it("never connects to a private address, whatever the name", async () => {
    const names = { "inside.example": ["10.0.0.1"], "loop.example": ["127.0.0.1"], "six.example": ["::1", "fd00::1"] };
    const poster = strict(names);
    for (const url of Object.keys(names).map((name) => `https://${name}:${port}/`)) {
      await expect(poster.post(url, {}, body)).rejects.toThrow(TargetRefused);
    }
    await expect(poster.post(`https://127.0.0.1:${port}/`, {}, body)).rejects.toThrow(TargetRefused);
    await expect(poster.post(`https://localhost:${port}/`, {}, body)).rejects.toThrow(TargetRefused);
    expect(service.pushes).toEqual([]);
  });

  it("judges the address when it connects, since a public name may have become private", async () => {
    const names = { "turns.example": ["192.0.2.1"] };
    const poster = strict(names);
    expect(poster.refusal(`https://turns.example:${port}/`)).toBeUndefined();
    names["turns.example"] = ["127.0.0.1"];
    await expect(poster.post(`https://turns.example:${port}/`, {}, body)).rejects.toThrow(TargetRefused);
    expect(service.pushes).toEqual([]);
  });

  it("asks the resolver that it was given", async () => {
    const poster = lenient({ "push.example": ["127.0.0.1"] });
    // It found the service, which does not speak TLS.
    await expect(poster.post(`https://push.example:${port}/`, {}, body)).rejects.toMatchObject({
      code: "EPROTO",
    });
    await expect(poster.post(`https://other.example:${port}/`, {}, body)).rejects.toThrow("ENOTFOUND");
    poster.close();
  });

  it("sends the headers and the body that it was given", async () => {
    const poster = lenient();
    const answer = await poster.post(`${service.url}/a?b`, { TTL: 60, "X-A": "b" }, body);
    expect(answer).toEqual({ status: 201, retryAfterMs: undefined });
    expect(service.pushes).toMatchObject([{ path: "/a?b", headers: { ttl: "60", "x-a": "b" }, body }]);
    poster.close();
  });

  it("follows no redirect", async () => {
    const poster = lenient();
    service.answers.push({ status: 307, headers: { location: `${service.url}/elsewhere` } });
    expect(await poster.post(`${service.url}/here`, {}, body)).toMatchObject({ status: 307 });
    expect(service.pushes.map(({ path }) => path)).toEqual(["/here"]);
    poster.close();
  });

  it("reads Retry-After", async () => {
    const poster = lenient();
    service.answers.push({ status: 429, headers: { "retry-after": "120" } });
    expect(await poster.post(service.url, {}, body)).toEqual({ status: 429, retryAfterMs: 120_000 });
    const date = new Date(Date.now() + 60_000).toUTCString();
    service.answers.push({ status: 503, headers: { "retry-after": date } });
    const { retryAfterMs } = await poster.post(service.url, {}, body);
    expect(retryAfterMs).toBeGreaterThan(50_000);
    expect(retryAfterMs).toBeLessThanOrEqual(60_000);
    poster.close();
  });

  it("does not wait forever for an answer", async () => {
    const poster = lenient({}, 100);
    const never = Promise.withResolvers<void>();
    service.answers.push({ status: 201, after: never.promise });
    await expect(poster.post(service.url, {}, body)).rejects.toThrow();
    never.resolve();
    poster.close();
  });
});
