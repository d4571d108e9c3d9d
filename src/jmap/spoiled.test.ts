import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { spoiler, timeFor, tries } from "../../test/support/fuzz.ts";
import { createFuzzHost, type FuzzHost, type FuzzWorld } from "../../test/support/fuzz-world.ts";
import { goodCalls } from "../../test/support/good-calls.ts";
import { judge, judgeSetErrors } from "../../test/support/judge.ts";
import { methods } from "./methods.ts";
import type { Invocation } from "./references.ts";

type Json = Record<string, unknown>;

/** Tries for each method. */
const usual = 15;

/** Methods that change nothing, and so can share a world. */
const isReader = (name: string) => /\/(echo|get|changes|query|queryChanges|parse|lookup)$/.test(name);

let host: FuzzHost;
let readers: FuzzWorld;
let world: FuzzWorld;
beforeAll(async () => {
  host = await createFuzzHost();
  readers = await host.world();
});

test("each method of the registry has a good call, and nothing else has", () => {
  expect(Object.keys(goodCalls).sort()).toEqual(methods.map(({ name }) => name).sort());
});

async function goodCall(name: string): Promise<Json> {
  const { access } = methods.find((method) => method.name === name)!;
  return { ...(access !== "none" && { accountId: world.account }), ...(await goodCalls[name]!(world)) };
}

/** Checks that mail is still delivered, shown and destroyed, and that redundant data agrees. */
async function stillWorks(): Promise<void> {
  const { client, archive } = world;
  const id = await world.newEmail();
  const update = { [id]: { "keywords/$seen": true, mailboxIds: { [archive]: true } } };
  const responses = await client.request([
    ["Email/set", { accountId: world.account, update }, "0"],
    ["Email/get", { accountId: world.account, ids: [id], properties: ["keywords", "mailboxIds"] }, "1"],
    ["Email/set", { accountId: world.account, destroy: [id] }, "2"],
    ["Mailbox/get", { accountId: world.account, ids: [world.inbox], properties: ["role"] }, "3"],
  ]);
  const [updated, shown, destroyed, inbox] = responses.responses.map(([, args]) => args);
  expect(updated).toMatchObject({ updated: { [id]: null } });
  expect(shown!.list).toEqual([{ id, keywords: { $seen: true }, mailboxIds: { [archive]: true } }]);
  expect(destroyed).toMatchObject({ destroyed: [id] });
  expect(inbox!.list).toEqual([{ id: world.inbox, role: "inbox" }]);
  expect(await world.findings()).toEqual([]);
}

describe.each(Object.keys(goodCalls))("%s", (name) => {
  beforeAll(async () => {
    world = isReader(name) ? readers : await host.world();
  });

  test("accepts its good call", async () => {
    const args = await goodCall(name);
    const { responses } = await world.client.request([[name, args, "1"]]);
    expect(responses[0]![0]).toBe(name);
    for (const [, args] of responses) {
      const { notCreated, notUpdated, notDestroyed, notSent, notCopied, notParsable, notFound } = args;
      const refused = [notCreated, notUpdated, notDestroyed, notSent, notCopied, notParsable, notFound].filter(Boolean);
      expect(refused.flatMap((some) => Object.values(some as object))).toEqual([]);
    }
  });

  test(`answers or refuses spoiled calls`, { timeout: timeFor(usual, 1_000) }, async () => {
    const echo: Invocation = ["Core/echo", { a: [world.inbox, world.email], b: { "#a": true } }, "0"];
    await fc.assert(
      fc.asyncProperty(spoiler, async (spoil) => {
        host.failures.length = 0;
        const good = await goodCall(name);
        const spoiled = spoil(good);
        const args = (typeof spoiled === "object" && spoiled !== null ? spoiled : {}) as Json;
        const call: Invocation = [name, args, "1"];
        const answer = await world.client.request([echo, call]);
        const responses = JSON.parse(JSON.stringify(answer.responses)) as Invocation[];
        expect(host.failures).toEqual([]);
        judge(call, responses[1]!);
        for (const [implicit, response] of responses.slice(2)) {
          expect(implicit).toBe("Email/set");
          judgeSetErrors(response);
        }
      }),
      tries(usual),
    );
    await stillWorks();
  });
});

describe("values that were once accepted by mistake", () => {
  const text = "a\u0000b";
  const subscription = { deviceClientId: "d", url: "https://push.invalid/a" };
  beforeAll(async () => {
    host.failures.length = 0;
    world = await host.world();
  });

  test.each([{ deviceClientId: text }, { url: `https://push.invalid/${text}` }, { types: [text] }])(
    "a PushSubscription with NUL: %j",
    async (given) => {
      const create = { a: { ...subscription, ...given } };
      const { responses } = await world.client.request([["PushSubscription/set", { create }, "1"]]);
      expect(responses[0]![1].notCreated).toMatchObject({ a: { type: "invalidProperties" } });
    },
  );

  test.each([
    ["Blob/upload", "create", { data: 1 }],
    ["Email/import", "emails", { blobId: "x" }],
    ["Email/set", "create", { subject: "x" }],
    ["MDN/send", "send", { subject: "x" }],
  ])("%s of a record that is called __proto__", async (name, argument, record) => {
    const args = { accountId: world.account, [argument]: { ["__proto__"]: record } };
    const identity = name === "MDN/send" ? { identityId: world.identity } : {};
    const answer = await world.client.call(name, { ...args, ...identity });
    expect(Object.keys((answer.notCreated ?? answer.notSent) as object)).toEqual(["__proto__"]);
  });

  test("arguments given as a prototype are refused", async () => {
    const proto = {
      ["__proto__"]: { sinceState: "1-0" },
      "#accountId": { resultOf: "0", name: "Core/echo", path: "/a" },
    };
    const { responses } = await world.client.request([
      ["Core/echo", { a: world.account }, "0"],
      ["Email/changes", proto, "1"],
    ]);
    expect(responses[1]).toEqual(["error", expect.objectContaining({ type: "invalidArguments" }), "1"]);
  });
});
