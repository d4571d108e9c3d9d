import { expect, test } from "vitest";
import { liftSender, showStanding } from "../../src/admin/standing.ts";
import { silentLog } from "../../src/base/log.ts";
import { admit } from "../../src/mail/standing/admit.ts";
import { judgeAccount } from "../../src/mail/standing/hold.ts";
import { plannedFor } from "../../src/smtp/outbound/pools/plan.ts";
import { type PoolClass, type PooledAddress, readPools } from "../../src/smtp/outbound/pools/pools-file.ts";
import { Sources } from "../../src/smtp/outbound/pools/sources.ts";
import { addBounces } from "../../src/store/queues/bounces.ts";
import { findSources, sentToday } from "../../src/store/queues/source-addresses.ts";
import { testAdmin } from "../support/admin.ts";
import { keepEvents } from "../support/events.ts";
import { createTestAccount, createTestStore } from "../support/postgres.ts";

/** Sixty days go by without waiting: the clock is passed in. */
const dayMs = 86_400_000;
const hourMs = 3_600_000;
const start = Date.UTC(2026, 0, 1);
let now = start;
const clock = { now: () => new Date(now) };
let statements = 0;
const store = await createTestStore({ clock, observe: () => statements++ });
const dayNo = () => Math.floor((now - start) / dayMs);
const at = (day: number, hour = 0) => {
  now = start + day * dayMs + hour * hourMs;
};

test("pools: new addresses warm up by their plan, mail overflows, and one that is refused rests and comes back", async () => {
  const old = readPools(
    "personal 127.0.0.10 mx.here.test warm\nbulk 127.0.0.20 n1.here.test 4w\nbulk 127.0.0.21 n2.here.test 2w\nsuspicious 127.0.0.30 s.here.test 2w",
  );
  const added: PooledAddress = { pool: "bulk", address: "127.0.0.22", name: "n3.here.test", weeks: 2 };
  const heard = keepEvents();
  const open = (addresses: readonly PooledAddress[]) =>
    new Sources({ addresses, database: store.database, clock, log: silentLog, events: heard.events });
  // Two processes share the plans.
  let processes = [open(old), open(old)];
  const providers = ["big.test", "small.test"];
  const sent = new Map<string, number>();
  const waited = new Map<string, number>();
  let refusing: { address: string; provider: string } | undefined;

  async function send(pool: PoolClass, provider: string, nth: number): Promise<void> {
    const chosen = await processes[nth % 2]!.choose({ pool, provider, families: [4] });
    if (chosen instanceof Date) {
      expect(chosen.getTime()).toBeGreaterThan(now);
      const key = `${pool} ${dayNo()}`;
      waited.set(key, (waited.get(key) ?? 0) + 1);
      return;
    }
    const key = `${chosen.address} ${provider} ${dayNo()}`;
    sent.set(key, (sent.get(key) ?? 0) + 1);
    const isRefused = refusing?.address === chosen.address && refusing.provider === provider;
    const smtpReply = isRefused ? `550 5.7.1 ${chosen.address} is blocked here` : "250 2.0.0 ok";
    const kind = isRefused ? ("failed" as const) : ("relayed" as const);
    await processes[nth % 2]!.noted(chosen, provider, [{ kind, smtpReply, remote: "mx.test" }]);
  }
  const of = (address: string, provider: string, day: number) => sent.get(`${address} ${provider} ${day}`) ?? 0;

  statements = 0;
  let mails = 0;
  const restDays: number[] = [];
  for (let day = 0; day < 60; day++) {
    if (day === 20) processes = [open([...old, added]), open([...old, added])];
    refusing = day === 40 ? { address: "127.0.0.20", provider: "big.test" } : undefined;
    for (const hour of [0, 8, 16]) {
      at(day, hour);
      for (const provider of providers) {
        for (let nth = 0; nth < 150; nth++) await send("bulk", provider, nth);
        for (let nth = 0; nth < 15; nth++) await send("personal", provider, nth);
        mails += 165;
      }
    }
    const rows = await findSources(store.database, ["127.0.0.20"]);
    if (rows[0]!.restsUntil !== null && rows[0]!.restsUntil.getTime() > now) restDays.push(day);
  }

  for (const [key, count] of sent) {
    const [address, provider, day] = key.split(" ") as [string, string, string];
    const { weeks, pool } = [...old, added].find((one) => one.address === address)!;
    const since = new Date(start + (address === added.address ? 20 * dayMs : 0));
    const planned = plannedFor({ since, weeks, rests: 0 }, new Date(start + Number(day) * dayMs + 17 * hourMs));
    expect(count, `${address} to ${provider} on day ${day}`).toBeLessThanOrEqual(planned);
    // Personal mail has its own address, as long as that may send.
    if (pool === "personal") expect(count).toBe(45);
  }
  // The first day: both cold addresses give 50 each, and the overflow gets as much; the rest waits.
  expect(["127.0.0.20", "127.0.0.21", "127.0.0.30"].map((one) => of(one, "big.test", 0))).toEqual([50, 50, 50]);
  expect(waited.get("bulk 0")).toBe(2 * (450 - 150));
  // In time nothing waits, and nothing overflows.
  expect(waited.get("bulk 12")).toBeUndefined();
  expect(of("127.0.0.30", "big.test", 12)).toBe(0);
  // The one that was added starts cold beside the others.
  expect(of("127.0.0.22", "big.test", 20)).toBeLessThanOrEqual(50);
  expect(of("127.0.0.22", "big.test", 20)).toBeGreaterThan(0);
  expect(of("127.0.0.22", "big.test", 35)).toBeGreaterThan(140);
  // Five refusals are enough: it rests for six hours, then, as nothing is better, for twelve; the others take over.
  expect(of("127.0.0.20", "big.test", 40)).toBeGreaterThanOrEqual(5);
  expect(restDays).toEqual([40]);
  expect(heard.told).toEqual(Array(2).fill(["sourceRests", { address: "127.0.0.20" }]));
  expect(waited.get("bulk 41")).toBeUndefined();
  expect(of("127.0.0.20", "big.test", 42)).toBeGreaterThan(100);
  expect([...waited.keys()].filter((key) => key.startsWith("personal"))).toEqual([]);
  const today = await sentToday(store.database, ["127.0.0.10"], clock.now());
  expect(today.map(({ provider }) => provider).sort()).toEqual(providers);
  expect(statements / mails).toBeLessThan(0.2);
}, 60_000);

test("reputation: good senders grow, a spammer and a thief are stopped at once, and a lifted sender begins anew", async () => {
  at(0);
  const admin = testAdmin(store);
  const accounts = await Promise.all(
    ["news", "person", "spammer", "robbed"].map((name) => createTestAccount(store, `${name}@days.test`)),
  );
  const [news, person, spammer, robbed] = accounts as [number, number, number, number];
  let submissions = 0;
  let gone = 0;

  /** Tries to send mails to so many each; resolves with how many recipients were taken. */
  async function send(
    account: number,
    counts: number[],
    { isAway = false, spamScore = 0, hard = 0 } = {},
  ): Promise<number> {
    return store.write(account, "server", async (tx) => {
      const candidates = counts.map((recipients) => ({ recipients, spamScore }));
      const verdicts = await admit(tx, candidates, { isLimited: true, junkScore: 5, isAway });
      submissions += counts.length;
      const taken = counts.filter((_, nth) => !verdicts[nth]).reduce((sum, count) => sum + count, 0);
      const bounce = {
        kind: "hard",
        source: "smtp",
        submissionId: 1,
        reply: "550",
      } as const;
      const bounces = Array.from({ length: Math.min(hard, taken) }, () => {
        return { ...bounce, recipient: `gone${++gone}@far.test` };
      });
      if (await addBounces(tx, bounces)) await judgeAccount(tx);
      return taken;
    });
  }
  const show = (name: string) => showStanding(admin, `${name}@days.test`, true);

  const ofNews: number[] = [];
  const held: Record<string, number> = {};
  statements = 0;
  for (let day = 0; day < 60; day++) {
    let today = 0;
    for (let hour = 8; hour < 16; hour++) {
      at(day, hour);
      // As much as it may, in mails to a fiftieth of its list.
      const wanted = Array<number>(4).fill(Math.min(40 + 10 * day, 900));
      const taken = await send(news, wanted, { hard: 1 });
      today += taken;
    }
    ofNews.push(today);
    await send(person, [1, 2, 3]);
    await send(robbed, [1, 4]);
    if (day === 10 || day === 11) await send(spammer, [100], { hard: 15 });
    if (day === 40) {
      at(day, 16);
      // The thief's first mails go; what follows is held.
      expect(await send(robbed, [20, 20], { isAway: true })).toBe(40);
      expect((await show("robbed")).hold).toBeNull();
      expect(await send(robbed, [20], { isAway: true })).toBe(20);
      expect((await show("robbed")).hold?.reason).toBe("takeover");
    }
    if (day === 41) {
      const before = (await show("robbed")).limits;
      await liftSender(admin, "robbed@days.test", { isDryRun: false });
      const after = (await show("robbed")).limits;
      expect(before.daily!).toBeGreaterThan(after.daily!);
      expect(after).toEqual({ hourly: 200, daily: 500 });
    }
    for (const name of ["news", "person", "spammer", "robbed"]) {
      if (day % 10 === 1 && (await show(name)).hold) held[name] ??= day;
    }
  }
  expect(held).toEqual({ spammer: 11 });
  expect((await show("spammer")).hold).toMatchObject({
    reason: "bounces",
    at: new Date(start + 11 * dayMs + 15 * hourMs).toISOString(),
  });
  // 24 hours of a new account, then more and more.
  expect(ofNews[0]).toBeLessThanOrEqual(500);
  expect(ofNews[0]).toBeGreaterThan(400);
  expect(ofNews[30]).toBeGreaterThan(5 * ofNews[0]!);
  const { limits, goodDays } = await show("news");
  expect(goodDays).toBeGreaterThanOrEqual(29);
  expect(limits.daily).toBe(5_000 * (1 + 0.2 * goodDays));
  now += 60_000;
  expect((await show("person")).sent.week.recipients).toBe(7 * 6);
  expect(submissions).toBeGreaterThan(2_000);
}, 60_000);
