import { core, type Invocation, type Json, mail, type SetResult } from "../client/types.ts";
import type { TestContext } from "../runner/context.ts";
import { defineTests } from "../runner/define.ts";
import { equal, isString, methodError, same, setError, show } from "../runner/expect.ts";
import { createdId, noSuchId } from "./support.ts";

const group = { rfc: "rfc8620", section: "5.4", title: "/copy", requires: [core, mail] };

type CopyResult = SetResult & { fromAccountId: string };

const refusals = defineTests(group, [
  {
    id: "same-account",
    level: "MUST",
    says: "accountId: the id of the account to copy records to. This MUST be different to the “fromAccountId”.",
    run: async (t) => {
      const { id } = await t.email();
      const create = { c: { id, mailboxIds: { [await t.box()]: true } } };
      await t.error("Email/copy", { fromAccountId: t.accountId, create }, "invalidArguments");
    },
  },
  {
    id: "from-account-not-found",
    level: "MUST",
    says: "fromAccountNotFound: the “fromAccountId” does not correspond to a valid account.",
    run: (t) => t.error("Email/copy", { fromAccountId: noSuchId, create: {} }, "fromAccountNotFound"),
  },
  {
    id: "account-not-found",
    level: "MUST",
    says: "accountNotFound: the accountId does not correspond to a valid account.",
    run: (t) => {
      const args = { fromAccountId: t.accountId, accountId: noSuchId, create: {} };
      return t.error("Email/copy", args, "accountNotFound");
    },
  },
  {
    id: "arguments-missing",
    level: "MUST",
    says: "fromAccountId: “Id”; create: “Id[Foo]” (required arguments).",
    run: async (t) => {
      await t.error("Email/copy", { create: {} }, "invalidArguments");
      await t.error("Email/copy", { fromAccountId: noSuchId }, ["invalidArguments", "fromAccountNotFound"]);
    },
  },
]);

/** Copies one email of the test into the other account with whatever more is asked. */
async function copy(t: TestContext, id: string, more: Json = {}, properties: Json = {}): Promise<Invocation[]> {
  const accountId = t.otherAccountId;
  const create = { c: { id, mailboxIds: { [await t.otherMailbox()]: true }, ...properties } };
  return t.call([["Email/copy", { fromAccountId: t.accountId, accountId, create, ...more }, "0"]]);
}

function result(answer: Invocation | undefined): CopyResult {
  equal(answer?.[0], "Email/copy", `name of the response ${show(answer)}`);
  return (answer as Invocation)[1] as CopyResult;
}

async function otherState(t: TestContext): Promise<string> {
  const [answer] = await t.call([["Email/get", { accountId: t.otherAccountId, ids: [] }, "0"]]);
  return String(answer?.[1].state);
}

const copies = defineTests(group, [
  {
    id: "copies",
    level: "MUST",
    says: "The response has fromAccountId, accountId, oldState, newState and created: the properties of the copied object that are set by the server, such as the id.",
    exclusive: true,
    run: async (t) => {
      const { id } = await t.email({ subject: "copied", keywords: ["$seen"] });
      const [answer] = await copy(t, id);
      const { fromAccountId, accountId, newState, ...rest } = result(answer);
      same([fromAccountId, accountId], [t.accountId, t.otherAccountId], "accounts");
      isString(newState, "newState");
      equal(await otherState(t), newState, "state of the account that was copied to");
      const copyId = createdId({ ...rest, accountId, newState }, "c");
      const [found] = await t.call([["Email/get", { accountId, ids: [copyId], properties: ["subject"] }, "0"]]);
      same(found?.[1].list, [{ id: copyId, subject: "copied" }], "the copy");
      equal((await t.get("Email", [id], ["id"])).length, 1, "number of originals left");
    },
  },
  {
    id: "other-properties",
    level: "MUST",
    says: "When creating the copy, any other properties included are used instead of the current value for that property on the original.",
    run: async (t) => {
      const { id } = await t.email({ keywords: ["$seen"] });
      const [answer] = await copy(t, id, {}, { keywords: { $flagged: true } });
      const { accountId } = result(answer);
      const ids = [createdId(result(answer), "c")];
      const [found] = await t.call([["Email/get", { accountId, ids, properties: ["keywords"] }, "0"]]);
      same(found?.[1].list, [{ id: ids[0], keywords: { $flagged: true } }], "the copy");
    },
  },
  {
    id: "id-missing",
    level: "MUST",
    says: "The Foo object MUST contain an “id” property, which is the id (in the fromAccount) of the record to be copied.",
    run: async (t) => {
      const create = { c: { mailboxIds: { [await t.otherMailbox()]: true } } };
      const args = { fromAccountId: t.accountId, accountId: t.otherAccountId, create };
      const [answer] = await t.call([["Email/copy", args, "0"]]);
      if (answer?.[0] === "error") methodError(answer, "invalidArguments");
      else setError(result(answer).notCreated, "c", "invalidProperties");
    },
  },
  {
    id: "not-found",
    level: "MUST",
    says: "notCreated: a map of the creation id to a SetError object for each record that failed to be copied (an id that is not in the from account: notFound).",
    run: async (t) => {
      const [answer] = await copy(t, noSuchId);
      setError(result(answer).notCreated, "c", ["notFound", "invalidProperties"]);
    },
  },
  {
    id: "destroys-original",
    level: "MUST",
    says: "After emitting the “Foo/copy” response, the server MUST make a single call to “Foo/set” to destroy the original of each successfully copied record; the output of this is added to the responses.",
    run: async (t) => {
      const { id } = await t.email();
      const answers = await copy(t, id, { onSuccessDestroyOriginal: true });
      createdId(result(answers[0]), "c");
      equal(answers.length, 2, "number of responses");
      const [name, args, callId] = answers[1] as Invocation;
      same([name, callId, args.accountId], ["Email/set", "0", t.accountId], "the implicit response");
      same(args.destroyed, [id], "destroyed");
      same(await t.get("Email", [id]), [], "the original");
    },
  },
  {
    id: "destroy-state-mismatch",
    level: "MUST",
    says: "destroyFromIfInState: this argument is passed on as the “ifInState” argument to the implicit “Foo/set” call.",
    run: async (t) => {
      const { id } = await t.email();
      const answers = await copy(t, id, { onSuccessDestroyOriginal: true, destroyFromIfInState: noSuchId });
      createdId(result(answers[0]), "c");
      same(answers[1]?.slice(0, 1), ["error"], "name of the implicit response");
      equal(answers[1]?.[1].type, "stateMismatch", "type of its error");
      equal((await t.get("Email", [id], ["id"])).length, 1, "number of originals left");
    },
  },
  {
    id: "if-from-in-state",
    level: "MUST",
    says: "ifFromInState: if supplied, the string must match the current state of the account referenced by the fromAccountId; otherwise “stateMismatch”.",
    exclusive: true,
    run: async (t) => {
      const { id } = await t.email();
      const [wrong] = await copy(t, id, { ifFromInState: noSuchId });
      same([wrong?.[0], wrong?.[1].type], ["error", "stateMismatch"], "answer to a wrong ifFromInState");
      const [right] = await copy(t, id, { ifFromInState: await t.state("Email") });
      createdId(result(right), "c");
    },
  },
  {
    id: "if-in-state",
    level: "MUST",
    says: "ifInState: the string must match the current state of the account referenced by the accountId; otherwise “stateMismatch”.",
    exclusive: true,
    run: async (t) => {
      const { id } = await t.email();
      const [wrong] = await copy(t, id, { ifInState: noSuchId });
      same([wrong?.[0], wrong?.[1].type], ["error", "stateMismatch"], "answer to a wrong ifInState");
      const [right] = await copy(t, id, { ifInState: await otherState(t) });
      createdId(result(right), "c");
    },
  },
  {
    id: "already-exists",
    level: "MUST",
    says: "alreadyExists: the server forbids duplicates, and the record already exists in the target account. An “existingId” property of type “Id” MUST be included on the SetError.",
    run: async (t) => {
      const { id } = await t.email();
      createdId(result((await copy(t, id))[0]), "c");
      const second = result((await copy(t, id))[0]);
      if (second.created?.c) t.skip("the server allows duplicates");
      isString(setError(second.notCreated, "c", "alreadyExists").existingId, "existingId");
    },
  },
  {
    id: "creation-id",
    level: "MUST",
    says: "create: a map of the *creation id* to a Foo object (it can be referred to as any creation id).",
    run: async (t) => {
      const { id } = await t.email();
      const accountId = t.otherAccountId;
      const create = { c: { id, mailboxIds: { [await t.otherMailbox()]: true } } };
      const response = await t.client.callRaw({
        using: t.client.using,
        createdIds: {},
        methodCalls: [["Email/copy", { fromAccountId: t.accountId, accountId, create }, "0"]],
      });
      const made = createdId(result(response.methodResponses[0]), "c");
      same(response.createdIds, { c: made }, "createdIds");
    },
  },
]);

export const copyTests = [...refusals, ...copies];
