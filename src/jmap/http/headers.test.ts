import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { oddText, timeFor, tries } from "../../../test/support/fuzz.ts";
import { basic, createHttpWorld, type HttpWorld, known, type RawAnswer } from "../../../test/support/http-world.ts";
import { encodeId } from "../../base/ids.ts";
import { encodeBlobId } from "../../store/blobs/blob-id.ts";

let world: HttpWorld;
let path: string;
let etag: string;
const bytes = Buffer.from(Array.from({ length: 300 }, (_, n) => n % 251));
const right: [string, string] = ["Authorization", basic(known.user, known.password)];

beforeAll(async () => {
  world = await createHttpWorld();
  const { store, blobs } = world.deps.services;
  const blob = await blobs.put(bytes);
  const expiresAt = new Date(Date.now() + 3_600_000);
  await store.write(world.account, "server", (tx) => blobs.reference(tx, blob, { expiresAt }));
  const id = encodeBlobId(blob.sha256);
  path = `/jmap/download/${encodeId("u", world.account)}/${id}/a.bin?type=text/plain`;
  etag = `"${id}"`;
});

const download = (...headers: [string, string][]) => world.get(path, [right, ...headers]);
/** Text that may stand in a header line: the HTTP parser itself refuses control characters. */
const lineText = fc
  .oneof(oddText, fc.string({ unit: "binary", maxLength: 20 }))
  .map((text) => text.replace(/[\0-\x08\x0a-\x1f\x7f]|[^\0-\xff]/g, ""));
const spoiled = (good: fc.Arbitrary<string>) =>
  fc
    .tuple(good, fc.nat(20), fc.nat(3), fc.oneof(lineText, fc.constantFrom(",", ";", "=", "-", '"', "q=", " ")))
    .map(([text, at, length, odd]) => text.slice(0, at) + odd.slice(0, 8_000) + text.slice(at + length));

function expectProblem({ status, headers, body }: RawAnswer, expected: number): void {
  expect(status).toBe(expected);
  expect(headers["content-type"]).toBe("application/problem+json");
  expect(JSON.parse(body.toString())).toMatchObject({
    type: "about:blank",
    status: expected,
    detail: expect.any(String),
  });
}

/** Expects the whole blob, or the range that the answer announces. */
function expectBytes({ status, headers, body }: RawAnswer): void {
  expect([200, 206, 416]).toContain(status);
  expect(headers["content-length"]).toBe(String(body.length));
  if (status === 416) expect(headers["content-range"]).toBe(`bytes */${bytes.length}`);
  const [, first, last] = /^bytes (\d+)-(\d+)\/300$/.exec(headers["content-range"] ?? "") ?? [];
  if (status === 206) expect(body).toEqual(bytes.subarray(Number(first), Number(last) + 1));
  if (status === 200) expect(body).toEqual(bytes);
}

describe("Range", () => {
  const number = fc.oneof(fc.nat(320), fc.maxSafeNat(), fc.constant(1e20)).map(BigInt).map(String);
  const range = fc
    .tuple(fc.option(number, { nil: "" }), fc.option(number, { nil: "" }))
    .filter(([first, last]) => first + last !== "");

  test("gives just the octets asked for (RFC 9110 §14.2)", { timeout: timeFor(150, 100) }, async () => {
    await fc.assert(
      fc.asyncProperty(range, async ([first, last]) => {
        const answer = await download(["Range", `bytes=${first}-${last}`]);
        expectBytes(answer);
        const [start, end] =
          first === "" ? [300 - Number(last), 300] : [Number(first), last === "" ? 300 : Number(last) + 1];
        if (start >= end && first !== "" && last !== "" && Number(last) < Number(first))
          expect(answer.status).toBe(200);
        else if (start >= 300) expect(answer.status).toBe(416);
        else {
          expect(answer.status).toBe(206);
          expect(answer.body).toEqual(bytes.subarray(Math.max(start, 0), Math.min(end, 300)));
        }
      }),
      tries(150),
    );
  });

  test("is ignored if it is invalid", { timeout: timeFor(150, 100) }, async () => {
    const good = fc.oneof(
      range.map(([first, last]) => `bytes=${first}-${last}`),
      fc.constant("bytes=0-1,4-5"),
    );
    await fc.assert(
      fc.asyncProperty(fc.oneof(lineText, spoiled(good)), async (value) =>
        expectBytes(await download(["Range", value])),
      ),
      tries(150),
    );
  });

  test("is obeyed under If-Range only if the entity tag is the same", { timeout: timeFor(80, 100) }, async () => {
    const condition = fc.oneof(fc.constantFrom("same", "weak", "*", "date"), lineText, spoiled(fc.constant('"b1"')));
    await fc.assert(
      fc.asyncProperty(condition, async (kind) => {
        const values: Record<string, string> = { same: etag, weak: `W/${etag}`, date: new Date().toUTCString() };
        const value = Object.hasOwn(values, kind) ? values[kind]! : kind;
        const answer = await download(["Range", "bytes=1-2"], ["If-Range", value]);
        expect(answer.status).toBe(kind === "same" ? 206 : 200);
        expectBytes(answer);
      }),
      tries(80),
    );
  });
});

describe("If-None-Match", () => {
  const others = fc.stringMatching(/^[!#-~\x80-\xff]{0,8}$/).map((text) => `"${text}"`);
  const tag = fc.oneof(fc.constant("own"), others, fc.constantFrom('"*"', '","', '",*,"', '" "'));
  const weak = fc.constantFrom("", "W/");

  test("matches only an entity tag in its list (RFC 9110 §13.1.2)", { timeout: timeFor(150, 100) }, async () => {
    const list = fc.array(fc.tuple(weak, tag), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(list, fc.constantFrom(",", ", ", " , "), async (tags, comma) => {
        const value = tags.map(([prefix, text]) => prefix + (text === "own" ? etag : text)).join(comma);
        const answer = await download(["If-None-Match", value]);
        if (tags.some(([, text]) => text === "own")) {
          expect(answer.status).toBe(304);
          expect(answer.body.length).toBe(0);
          expect(answer.headers.etag).toBe(etag);
        } else {
          expect(answer.status).toBe(200);
          expectBytes(answer);
        }
      }),
      tries(150),
    );
    expect((await download(["If-None-Match", "*"])).status).toBe(304);
  });

  test("that is invalid does not hide the blob", { timeout: timeFor(80, 100) }, async () => {
    await fc.assert(
      fc.asyncProperty(lineText, async (value) => {
        if (value.trim() === "*") return;
        const answer = await download(["If-None-Match", value]);
        expect(answer.status).toBe(200);
        expectBytes(answer);
      }),
      tries(80),
    );
  });
});

describe("Accept-Encoding", () => {
  const session = (value: string) => world.get("/jmap/session", [right, ["Accept-Encoding", value]]);
  const weights = fc.constantFrom("", ";q=0", ";q=0.0", ";q=0.5", ";q=1", "; q=0.001", ";Q=0");
  const names = fc.constantFrom("br", "gzip", "BR", "Gzip", "identity", "deflate", "zstd", "*");
  const offers = fc.uniqueArray(fc.tuple(names, weights), { selector: ([name]) => name.toLowerCase(), maxLength: 5 });

  test("is obeyed: the coding is one that the client accepts, and the content is the same", {
    timeout: timeFor(100, 100),
  }, async () => {
    const plain = JSON.parse((await session("")).body.toString()) as object;
    await fc.assert(
      fc.asyncProperty(offers, fc.constantFrom(",", ", "), async (list, comma) => {
        const answer = await session(list.map((parts) => parts.join("")).join(comma));
        expect(answer.status).toBe(200);
        expect(JSON.parse(answer.body.toString())).toEqual(plain);
        const weightOf = (name: string) => {
          const found = list.find(([one]) => one.toLowerCase() === name) ?? list.find(([one]) => one === "*");
          return found ? Number(/=(.*)$/.exec(found[1])?.[1] ?? 1) : 0;
        };
        const chosen = answer.headers["content-encoding"];
        if (chosen !== undefined) expect(weightOf(chosen)).toBe(Math.max(weightOf("br"), weightOf("gzip")));
        else expect(weightOf("br") + weightOf("gzip")).toBe(0);
        expect(answer.headers.vary).toBe("Accept-Encoding");
      }),
      tries(100),
    );
  });

  test("that is invalid does no harm", { timeout: timeFor(80, 100) }, async () => {
    const value = fc.oneof(lineText, spoiled(fc.constantFrom("br;q=1, gzip", "gzip;q=0.5, *;q=0", "identity")));
    await fc.assert(
      fc.asyncProperty(value, async (value) => {
        const answer = await session(value);
        expect(answer.status).toBe(200);
        expect(JSON.parse(answer.body.toString())).toMatchObject({ username: known.user });
      }),
      tries(80),
    );
  });
});

describe("Authorization", () => {
  let network = 0;
  /** Each request comes from a network of its own, so that it is not throttled for the others' faults. */
  const ask = (value: string) => {
    network++;
    const address = `10.${(network >> 16) & 255}.${(network >> 8) & 255}.${network & 255}`;
    return world.get("/jmap/session", [
      ["Authorization", value],
      ["X-Forwarded-For", address],
    ]);
  };

  test("guessed from behind a trusted proxy is throttled, whatever the client forges before the last hop", async () => {
    const guess = async (index: number, hop: string, password = "guess") => {
      const user = password === "guess" ? `guess${index}@here.test` : known.user;
      const headers: [string, string][] = [
        ["Authorization", basic(user, password)],
        ["X-Forwarded-For", `198.51.100.${index}, ${hop}`],
        ["X-Forwarded-For", "127.0.0.2"],
      ];
      return (await world.get("/jmap/session", headers)).status;
    };
    const statuses: number[] = [];
    for (let index = 0; index < 40; index++) statuses.push(await guess(index, "203.0.113.77"));
    expect(statuses.slice(0, 25).every((status) => status === 401)).toBe(true);
    expect(statuses.slice(-5)).toEqual([429, 429, 429, 429, 429]);
    expect(await guess(1, "203.0.113.78", known.password)).toBe(200);
  });

  test("that is right is accepted in any spelling", async () => {
    const value = right[1].slice("Basic ".length);
    for (const text of [`Basic ${value}`, `basic ${value}`, `BASIC   ${value}  `])
      expect((await ask(text)).status).toBe(200);
  });

  test("that is wrong gets 401 in problem+json, whatever it is", { timeout: timeFor(60, 1_000) }, async () => {
    const pair = fc.tuple(fc.oneof(oddText, fc.constantFrom("ada@here.test", "ada@here.test\0", "\0")), oddText);
    const value = fc.oneof(
      lineText,
      pair.map(([user, password]) => basic(user, password)),
      oddText.map((text) => `Basic ${Buffer.from(text).toString("base64")}`),
      lineText.map((text) => `Basic ${text}`),
      lineText.map((text) => `Bearer ${text}`),
      lineText.map((text) => `Bearer posthorn_${text}`),
      fc.constantFrom(
        "Basic",
        "Bearer",
        "Basic ",
        "Bearer =",
        `Negotiate ${right[1].slice(6)}`,
        `Digest username="ada"`,
      ),
    );
    await fc.assert(
      fc.asyncProperty(value, async (value) => {
        const answer = await ask(value);
        // The server's HTTP parser takes no more than 16 KB of header.
        if (value.length > 16_000) expect([401, 431]).toContain(answer.status);
        else if (answer.status !== 429) expectProblem(answer, 401);
        expect(world.failures).toEqual([]);
      }),
      tries(60),
    );
  });
});

describe("the event source", () => {
  const types = fc.oneof(
    fc.constantFrom(
      "*",
      "Email",
      "Email,Mailbox",
      "Nonsense9",
      "Email,",
      ",",
      "*,Email",
      " ",
      "E-mail",
      "9a",
      "a".repeat(2_001),
    ),
    fc
      .array(fc.stringMatching(/^[A-Za-z][A-Za-z0-9]{0,8}$/), { minLength: 1, maxLength: 5 })
      .map((list) => list.join(",")),
    oddText,
  );
  const closeafter = fc.oneof(fc.constantFrom("no", "state", "no", "state", "No", "close", "no,state"), oddText);
  const ping = fc.oneof(
    fc.nat(10 ** 9 - 1).map(String),
    fc.constantFrom("0", "1", "300", "-1", "1.5", "1e3", " 1", "0x10"),
    oddText,
  );
  const parameter = (name: string, value: fc.Arbitrary<string>) =>
    fc
      .oneof({ weight: 12, arbitrary: fc.tuple(value) }, { weight: 1, arbitrary: fc.array(value, { maxLength: 2 }) })
      .map((values) => [...values].map((value): [string, string] => [name, value]));

  test("opens only with valid parameters, each given once", { timeout: timeFor(150, 100) }, async () => {
    const isSound = {
      types: (text: string) =>
        text === "*" || (text.length <= 2_000 && text.split(",").every((one) => /^[a-z][a-z0-9]*$/i.test(one))),
      closeafter: (text: string) => text === "no" || text === "state",
      ping: (text: string) =>
        text.length <= 9 && text !== "" && [...text].every((digit) => digit >= "0" && digit <= "9"),
    };
    const query = fc.tuple(parameter("types", types), parameter("closeafter", closeafter), parameter("ping", ping));
    await fc.assert(
      fc.asyncProperty(query, async (all) => {
        const target = `/jmap/eventsource/?${new URLSearchParams(all.flat())}`;
        const answer = await world.get(target, [right]);
        const sound = all.every(
          ([first, ...more]) => first && more.length === 0 && isSound[first[0] as "types"](first[1]),
        );
        if (target.length > 15_000) expect([400, 431]).toContain(answer.status);
        else if (!sound) expectProblem(answer, 400);
        else {
          expect(answer.status).toBe(200);
          expect(answer.headers["content-type"]).toBe("text/event-stream");
        }
      }),
      tries(150),
    );
  });
});

test("every target is served, or refused by an RFC 7807 problem", {
  timeout: timeFor(150, 100),
}, async () => {
  const part = fc.oneof(
    fc.constantFrom(
      "jmap",
      "api",
      "upload",
      "download",
      "eventsource",
      "ws",
      "session",
      ".well-known",
      "..",
      "%00",
      "%",
      "%ff",
      "healthz",
    ),
    lineText.map((text) => text.replace(/[\s#?]/g, "")),
    lineText.map((text) => encodeURIComponent(text)),
  );
  const target = fc.array(part, { maxLength: 6 }).map((parts) => `/${parts.join("/")}`);
  const method = fc.constantFrom("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH");
  await fc.assert(
    fc.asyncProperty(target, method, async (target, method) => {
      const answer = await world.get(target, [right, ["Content-Length", "0"]], method);
      expect(answer.status).toBeLessThan(500);
      if (answer.status >= 400 && method !== "HEAD" && answer.headers["content-type"] !== undefined) {
        expectProblem(answer, answer.status);
      }
      expect(answer.body.toString()).not.toMatch(/node_modules|\.ts:\d/);
      expect(world.failures).toEqual([]);
    }),
    tries(150),
  );
});
