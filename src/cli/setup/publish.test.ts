import { randomBytes } from "node:crypto";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { startKnot, whyNoKnot } from "../../../test/support/knot.ts";
import type { Checked } from "../../admin/domain-check/checked.ts";
import { Failure } from "../fail.ts";
import { type Publishing, publish, seen, wishesOf } from "./publish.ts";

const folder = mkdtempSync(join(tmpdir(), "posthorn-publish-"));
afterAll(() => rmSync(folder, { recursive: true }));

const checked = (state: Checked["state"], name: string, rest: string): Checked => ({
  ...{ record: "x", name, state, found: [], expected: `${name}. 3600 IN ${rest}`, advice: null, needed: true },
});
const checks = [
  checked("missing", "here.test", "MX 10 mail.here.test."),
  checked("missing", "k._domainkey.here.test", 'TXT "v=DKIM1; k=rsa; p=AA" "BB" ; signs once'),
  checked("wrong", "_dmarc.here.test", 'TXT "v=DMARC1; p=reject"'),
  checked("right", "mail.here.test", "A 192.0.2.1"),
  checked("unknown", "autoconfig.here.test", "CNAME mail.here.test."),
  checked("missing", "mail.elsewhere.test", "A 192.0.2.1"),
  checked("missing", "nothere.test", "A 192.0.2.1"),
  { ...checked("missing", "1.2.0.192.in-addr.arpa", "PTR mail.here.test."), name: "192.0.2.1" },
];
const run = (options: Publishing, wishes = wishesOf(checks, "here.test", true)) =>
  publish(wishes, "here.test", { options, random: randomBytes, now: new Date() });

test("what is missing in the domain's own zone is published; what says something else only if it is to be replaced", () => {
  const mx = { name: "here.test", type: "MX", value: "10 mail.here.test.", replaces: false };
  const key = { name: "k._domainkey.here.test", type: "TXT", value: '"v=DKIM1; k=rsa; p=AA" "BB"', replaces: false };
  expect(wishesOf(checks, "here.test", false)).toEqual([mx, key]);
  const dmarc = { name: "_dmarc.here.test", type: "TXT", value: '"v=DMARC1; p=reject"', replaces: true };
  expect(wishesOf(checks, "here.test", true)).toEqual([mx, key, dmarc]);
});

test("a hook gets each record as arguments and as JSON, never by a shell; what it refuses is named", async () => {
  const [hook, log] = [join(folder, "hook"), join(folder, "log")];
  const script = `#!/bin/sh
read -r json
printf '%s|%s|%s|%s|%s|%s\\n' "$1" "$2" "$3" "$4" "$5" "$json" >> ${log}
case "$3" in MX) echo "first" >&2; echo "quota exceeded" >&2; exit 3;; esac
`;
  writeFileSync(hook, script);
  chmodSync(hook, 0o755);
  const wishes = wishesOf(checks, "here.test", true);
  const odd = { ...wishes[0]!, type: "TXT" as const, value: '"$(touch /tmp/x); `id` | \'"' };
  const published = await run({ dnsHook: hook }, [...wishes, odd]);
  expect(published).toEqual({
    done: [wishes[1], wishes[2], odd],
    failed: [{ wish: wishes[0], reason: `${hook}: quota exceeded` }],
  });
  const lines = readFileSync(log, "utf8").trim().split("\n");
  expect(lines[2]!.split("|").slice(0, 5)).toEqual([
    "replace",
    "_dmarc.here.test",
    "TXT",
    "3600",
    '"v=DMARC1; p=reject"',
  ]);
  expect(JSON.parse(lines[0]!.split("|")[5]!)).toEqual({
    ...{ action: "add", domain: "here.test", name: "here.test", type: "MX", ttl: 3600, value: "10 mail.here.test." },
  });
  expect(lines[3]).toContain("$(touch /tmp/x); `id`");
  const none = await run({ dnsHook: join(folder, "none") });
  expect(none!.done).toEqual([]);
  expect(none!.failed[0]!.reason).toContain("ENOENT");
});

describe.skipIf(whyNoKnot)("with a DNS server that takes updates", () => {
  test("the right key publishes; a wrong one changes nothing and says so", async () => {
    const knot = await startKnot({ "here.test": [] });
    try {
      const [right, wrong] = [join(folder, "right.key"), join(folder, "wrong.key")];
      writeFileSync(right, knot.key);
      writeFileSync(wrong, knot.key.replace(/secret ".{8}/, 'secret "AAAAAAAA'));
      const dnsUpdate = { address: "127.0.0.1", port: knot.port };
      await expect(run({ dnsUpdate, dnsKeyFile: wrong })).rejects.toThrow(
        /does not know the key posthorn.*Nothing was published/,
      );
      await expect(knot.resolver().resolveMx("here.test")).rejects.toThrow("ENODATA");
      expect((await run({ dnsUpdate, dnsKeyFile: right }))!.done).toHaveLength(3);
      expect(await knot.resolver().resolveMx("here.test")).toMatchObject([{ exchange: "mail.here.test" }]);
    } finally {
      knot.stop();
    }
  });
});

test("a key that cannot be read, or is none, is named; without a way nothing is published", async () => {
  const dnsUpdate = { address: "127.0.0.1", port: 1 };
  await expect(run({ dnsUpdate })).rejects.toThrow(/--dns-key-file/);
  await expect(run({ dnsUpdate, dnsKeyFile: join(folder, "none.key") })).rejects.toThrow(/the key cannot be read/);
  const bad = join(folder, "bad.key");
  writeFileSync(bad, "secret");
  await expect(run({ dnsUpdate, dnsKeyFile: bad })).rejects.toThrow(Failure);
  expect(await run({})).toBeUndefined();
  expect(await run({ dnsUpdate }, [])).toEqual({ done: [], failed: [] });
});

test("it looks again until all is seen, or the time is over", async () => {
  const wishes = wishesOf(checks, "here.test", false);
  let looks = 0;
  const right = checks.map((one) => ({ ...one, state: "right" as const }));
  const told: string[] = [];
  const found = await seen(async () => (++looks < 3 ? checks : right), wishes, {
    waitMs: 5_000,
    tell: (text) => told.push(text),
  });
  expect([found, looks]).toEqual([right, 3]);
  expect(told[0]).toContain("Waiting until DNS has");
  expect(await seen(async () => checks, wishes, { waitMs: 0, tell: () => {} })).toBe(checks);
});
