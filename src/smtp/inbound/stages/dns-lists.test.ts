import { expect, test } from "vitest";
import type { DnsList } from "../options.ts";
import { dnsLists } from "./dns-lists.ts";
import { factsOf, peer } from "./testing.ts";

const listed = new Map<string, string[]>([
  ["1.2.0.192.bad.test", ["127.0.0.2"]],
  ["1.2.0.192.rather.test", ["127.0.0.4"]],
  ["1.2.0.192.good.test", ["127.0.0.1"]],
  ["1.2.0.192.misused.test", ["127.255.255.254"]],
  [`${"0.".repeat(16)}2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.bad.test`, ["127.0.0.2"]],
]);

function asking(...lists: [zone: string, weight: number][]) {
  const queries: string[] = [];
  const resolver = {
    async resolve(name: string) {
      queries.push(name);
      if (name.endsWith("away.test")) throw Object.assign(new Error(name), { code: "ESERVFAIL" });
      const found = listed.get(name);
      if (!found) throw Object.assign(new Error(name), { code: "ENOTFOUND" });
      return found;
    },
  } as never;
  const checks = dnsLists({ resolver, dnsLists: lists.map(([zone, weight]): DnsList => ({ zone, weight })) });
  const ask = async (address = "192.0.2.1", to = "ada@here.test", isLoopback = false) => {
    const session = peer(address, { isLoopback });
    await checks.begin(session, {});
    const verdict = await checks.judge(session, factsOf.rcpt({ path: { address: to, parameters: {} } }));
    const data = factsOf.data({ message: Buffer.from("\r\n"), clues: ["earlier"] });
    return { verdict, reported: await checks.report(session, data) };
  };
  return { ask, queries };
}

test("weights of ten together refuse, and the reply names the lists", async () => {
  const refused = { kind: "refuse", code: 550, status: "5.7.1" };
  expect((await asking(["bad.test", 10]).ask()).verdict).toMatchObject({
    ...refused,
    text: "your address 192.0.2.1 is listed by bad.test: ask there",
  });
  expect((await asking(["bad.test", 6], ["rather.test", 4]).ask()).verdict).toMatchObject(refused);
  expect((await asking(["bad.test", 10]).ask("2001:db8:1:2::")).verdict).toMatchObject(refused);
  expect((await asking(["bad.test", 10]).ask("192.0.2.2")).verdict).toMatchObject({ kind: "pass" });
});

test("less passes, as a clue, and so does one whom a good list has", async () => {
  for (const lists of [
    [["rather.test", 4]],
    [
      ["bad.test", 10],
      ["good.test", -5],
    ],
  ] as [string, number][][]) {
    const { verdict, reported } = await asking(...lists).ask();
    expect(verdict).toMatchObject({ kind: "pass" });
    expect(reported).toEqual({
      kind: "pass",
      found: { clues: ["earlier", ...lists.map(([zone]) => `listed-by-${zone}`)] },
    });
  }
});

test("who is listed can still write to the postmaster", async () => {
  const { ask } = asking(["bad.test", 10]);
  for (const to of ["postmaster", "Postmaster@here.test", "abuse@here.test"]) {
    expect((await ask("192.0.2.1", to)).verdict).toMatchObject({ kind: "pass" });
  }
});

test("a list that does not answer, or answers that it is misused, counts for nothing", async () => {
  expect((await asking(["away.test", 10], ["misused.test", 10]).ask()).verdict).toMatchObject({ kind: "pass" });
});

test("answers are remembered, but not that there was none; our own machine is not looked up", async () => {
  const { ask, queries } = asking(["bad.test", 1], ["other.test", 1], ["away.test", 1]);
  await ask();
  await ask();
  expect(queries.map((name) => name.replace("1.2.0.192.", "")).toSorted()).toEqual([
    ...["away.test", "away.test", "bad.test", "other.test"],
  ]);
  await ask("127.0.0.1", "ada@here.test", true);
  expect(queries).toHaveLength(4);
});
