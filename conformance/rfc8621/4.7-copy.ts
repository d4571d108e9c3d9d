import { core, type GetResult, type Json, mail, type SetResult } from "../client/types.ts";
import type { MadeEmail, TestContext } from "../runner/context.ts";
import { defineTests } from "../runner/define.ts";
import { equal, isId, matches, ok, same, setError, show } from "../runner/expect.ts";
import { mailGroup, nowhere, yes } from "./support.ts";

const group = mailGroup("4.7", "Email/copy");

/** Another account that the same user may write mail to, with a mailbox of the test in it. */
async function otherAccount(t: TestContext): Promise<{ accountId: string; box: string }> {
  const found = Object.entries(t.session.accounts).find(
    ([id, account]) => id !== t.accountId && mail in account.accountCapabilities && !account.isReadOnly,
  );
  if (!found) return t.skip("the user has no second account");
  const [accountId] = found;
  const create = { m: { name: t.unique("copies") } };
  const answer = await t.one<SetResult<{ id: string }>>("Mailbox/set", { accountId, create });
  const box = answer.created?.m?.id;
  if (!box) return t.skip("no mailbox can be made in the second account");
  t.defer(() => t.one("Mailbox/set", { accountId, destroy: [box], onDestroyRemoveEmails: true }));
  return { accountId, box };
}

type CopyResult = SetResult<MadeEmail> & { fromAccountId: string };

const copies = defineTests(group, [
  {
    id: "copy",
    level: "MUST",
    says: 'This is a standard "/copy" method, except only the "mailboxIds", "keywords", and "receivedAt" properties may be set during the copy.',
    run: async (t) => {
      const { accountId, box } = await otherAccount(t);
      const { id, size } = await t.email({
        subject: "copied",
        keywords: ["$seen", "todo"],
        receivedAt: "2020-01-01T00:00:00Z",
      });
      const create = { k: { id, mailboxIds: yes(box) } };
      const answer = await t.one<CopyResult>("Email/copy", { fromAccountId: t.accountId, accountId, create });
      const made = answer.created?.k;
      ok(made, `not copied: ${show(answer.notCreated)}`);
      for (const name of ["id", "blobId", "threadId"] as const) isId(made[name], name);
      equal(made.size, size, "size");
      const { list } = await t.one<GetResult>("Email/get", { accountId, ids: [made.id] });
      const expected = { subject: "copied", keywords: yes("$seen", "todo"), receivedAt: "2020-01-01T00:00:00Z" };
      matches(list[0], { ...expected, mailboxIds: yes(box) }, "copy");
      await t.find("Email", id, ["id"]);
    },
  },
  {
    id: "copy-sets-properties",
    level: "MUST",
    says: 'Only the "mailboxIds", "keywords", and "receivedAt" properties may be set during the copy.',
    run: async (t) => {
      const { accountId, box } = await otherAccount(t);
      const { id } = await t.email({ keywords: ["$seen"] });
      const set = { keywords: yes("$flagged"), receivedAt: "2019-01-01T00:00:00Z" };
      const create = { k: { id, mailboxIds: yes(box), ...set } };
      const answer = await t.one<CopyResult>("Email/copy", { fromAccountId: t.accountId, accountId, create });
      const { list } = await t.one<GetResult>("Email/get", { accountId, ids: [answer.created?.k?.id ?? nowhere] });
      matches(list[0], set, "copy");
    },
  },
  {
    id: "copy-other-properties",
    level: "MUST",
    says: "This method cannot modify the message represented by the Email.",
    run: async (t) => {
      const { accountId, box } = await otherAccount(t);
      const { id } = await t.email();
      const create = { k: { id, mailboxIds: yes(box), subject: "another" } };
      const answer = await t.one<CopyResult>("Email/copy", { fromAccountId: t.accountId, accountId, create });
      setError(answer.notCreated, "k", "invalidProperties");
    },
  },
  {
    id: "copy-and-destroy",
    level: "MUST",
    says: '(Example) Due to the implicit call to "Email/set", there are two responses to the single method call, both with the same method call id.',
    run: async (t) => {
      const { accountId, box } = await otherAccount(t);
      const { id } = await t.email();
      const create = { k: { id, mailboxIds: yes(box) } };
      const args = { fromAccountId: t.accountId, accountId, create, onSuccessDestroyOriginal: true };
      const answers = await t.call([["Email/copy", args, "c1"]]);
      same(
        answers.map(([name, , callId]) => [name, callId]),
        [
          ["Email/copy", "c1"],
          ["Email/set", "c1"],
        ],
        "names and call ids of the responses",
      );
      same(answers[1]?.[1].destroyed, [id], "destroyed");
      same(await t.get("Email", [id], ["id"]), [], "the original");
    },
  },
  {
    id: "copy-failures",
    level: "MUST",
    says: 'This is a standard "/copy" method.',
    run: async (t) => {
      const { accountId, box } = await otherAccount(t);
      const { id } = await t.email();
      const create = {
        missing: { id: nowhere, mailboxIds: yes(box) },
        bad: { id, mailboxIds: yes(nowhere) },
        none: { id, mailboxIds: {} },
      };
      const answer = await t.one<CopyResult>("Email/copy", { fromAccountId: t.accountId, accountId, create });
      setError(answer.notCreated, "missing", "notFound");
      setError(answer.notCreated, "bad", "invalidProperties");
      setError(answer.notCreated, "none", "invalidProperties");
      const state = { ifFromInState: "no-such-state", fromAccountId: t.accountId, accountId, create };
      await t.error("Email/copy", state, "stateMismatch");
    },
  },
]);

/** Copies from or to an account that is not there, for which one account is enough. */
const errors = defineTests({ ...group, requires: [core, mail] }, [
  {
    id: "same-account",
    level: "MUST",
    says: "/copy within one account is invalidArguments.",
    run: async (t) => {
      const { id } = await t.email();
      const create: Json = { k: { id, mailboxIds: yes(await t.box()) } };
      await t.error("Email/copy", { fromAccountId: t.accountId, create }, "invalidArguments");
    },
  },
  {
    id: "from-account-not-found",
    level: "MUST",
    says: 'This is a standard "/copy" method: fromAccountNotFound – the fromAccountId does not correspond to a valid account.',
    run: async (t) => {
      const create = { k: { id: nowhere, mailboxIds: yes(await t.box()) } };
      await t.error("Email/copy", { fromAccountId: nowhere, create }, "fromAccountNotFound");
    },
  },
  {
    id: "from-foreign-account",
    level: "MUST",
    needs: ["user2"],
    says: "The server MUST treat any data the user does not have permission to access the same as if it did not exist.",
    run: async (t) => {
      const foreign = t.client2.accountId;
      if (foreign in t.session.accounts) t.skip("the first user may see the second one's account");
      const create = { k: { id: nowhere, mailboxIds: yes(await t.box()) } };
      await t.error("Email/copy", { fromAccountId: foreign, create }, "fromAccountNotFound");
    },
  },
  {
    id: "account-not-found",
    level: "MUST",
    says: 'This is a standard "/copy" method: accountNotFound.',
    run: async (t) => {
      const create = { k: { id: nowhere, mailboxIds: yes(nowhere) } };
      await t.error("Email/copy", { fromAccountId: t.accountId, accountId: nowhere, create }, "accountNotFound");
    },
  },
]);

export const emailCopy = [...copies, ...errors];
