import type { Invocation, Json, SetError } from "../client/types.ts";
import type { TestContext } from "../runner/context.ts";
import { defineTests } from "../runner/define.ts";
import { includes, matches, ok, same, setError } from "../runner/expect.ts";
import { arrived, type Draft, draft, sendGroup, submitLater, trySubmit } from "./sending.ts";
import { getEmail, nowhere, yes } from "./support.ts";

const group = sendGroup("7.5", "EmailSubmission/set: onSuccess");

/** All responses to one EmailSubmission/set with the draft as its creation `s`. */
async function responses(
  t: TestContext,
  { identity, email }: Draft,
  more: Json,
  properties: Json = {},
): Promise<Invocation[]> {
  const create = { s: { identityId: identity.id, emailId: email, ...properties } };
  const answers = await t.call([["EmailSubmission/set", { accountId: t.accountId, create, ...more }, "call"]]);
  const { created } = (answers[0]?.[1] ?? {}) as { created?: Record<string, { id: string }> | null };
  if (created?.s) t.destroyLater("EmailSubmission", created.s.id);
  return answers;
}

const names = (answers: readonly Invocation[]): unknown[] => answers.map(([name, , callId]) => [name, callId]);
const implicit = [
  ["EmailSubmission/set", "call"],
  ["Email/set", "call"],
];
const single =
  'After all create/update/destroy items in the "EmailSubmission/set" invocation have been processed, a single implicit "Email/set" call MUST be made to perform any changes requested in these two arguments. The response to this MUST be returned after the "EmailSubmission/set" response.';

export const submissionSuccess = defineTests(group, [
  {
    id: "on-success-update",
    level: "MUST",
    says: `onSuccessUpdateEmail: A map of EmailSubmission id to an object containing properties to update on the Email object if the create/update/destroy succeeds. ${single}`,
    run: async (t) => {
      const made = await draft(t);
      const [box, other] = [await t.box(), await t.mailbox()];
      const patch = {
        [`mailboxIds/${box}`]: null,
        [`mailboxIds/${other}`]: true,
        "keywords/$draft": null,
        "keywords/$seen": true,
      };
      const answers = await responses(t, made, { onSuccessUpdateEmail: { "#s": patch } });
      same(names(answers), implicit, "names and call ids of the responses");
      includes(Object.keys((answers[1]?.[1].updated ?? {}) as Json), made.email, "updated of Email/set");
      const email = await getEmail(t, made.email, ["mailboxIds", "keywords"]);
      matches(email, { mailboxIds: yes(other), keywords: yes("$seen") }, "Email");
      ok(!("$draft" in email.keywords) && !(box in email.mailboxIds), "the Email was not moved");
    },
  },
  {
    id: "on-success-destroy",
    level: "MUST",
    says: `onSuccessDestroyEmail: A list of EmailSubmission ids for which the Email with the corresponding "emailId" should be destroyed if the create/update/destroy succeeds. ${single}`,
    run: async (t) => {
      const made = await draft(t);
      const answers = await responses(t, made, { onSuccessDestroyEmail: ["#s"] });
      same(names(answers), implicit, "names and call ids of the responses");
      same(answers[1]?.[1].destroyed, [made.email], "destroyed of Email/set");
      same(await t.get("Email", [made.email], ["id"]), [], "the Email");
      await arrived(t, made, []);
    },
  },
  {
    id: "on-success-not-after-failure",
    level: "MUST",
    says: "onSuccessUpdateEmail: […] if the create/update/destroy succeeds.",
    run: async (t) => {
      const made = await draft(t);
      const more = { onSuccessUpdateEmail: { "#s": { "keywords/$draft": null } }, onSuccessDestroyEmail: ["#s"] };
      const [answer] = await responses(t, made, more, { identityId: nowhere });
      setError(answer?.[1].notCreated as Record<string, SetError>, "s", "invalidProperties");
      same((await getEmail(t, made.email, ["keywords"])).keywords, yes("$draft"), "keywords");
    },
  },
  {
    id: "on-success-by-id",
    level: "MUST",
    says: "onSuccessUpdateEmail: A map of EmailSubmission id to an object containing properties to update on the Email object referenced by the EmailSubmission if the create/update/destroy succeeds.",
    run: async (t) => {
      const made = await draft(t);
      const id = await submitLater(t, made);
      const { accountId } = t;
      const update = { [id]: { undoStatus: "canceled" } };
      const args = { accountId, update, onSuccessUpdateEmail: { [id]: { "keywords/canceled": true } } };
      const answers = await t.call([["EmailSubmission/set", args, "call"]]);
      if (answers[0]?.[1].notUpdated) return t.skip("the submission could not be canceled");
      same(names(answers), implicit, "names and call ids of the responses");
      same((await getEmail(t, made.email, ["keywords"])).keywords, yes("$draft", "canceled"), "keywords");
    },
  },
  {
    id: "on-success-bad-patch",
    level: "MUST",
    says: 'A single implicit "Email/set" call MUST be made to perform any changes requested in these two arguments. (Its failure does not undo the submission.)',
    run: async (t) => {
      const made = await draft(t);
      const answers = await responses(t, made, { onSuccessUpdateEmail: { "#s": { mailboxIds: {} } } });
      ok(answers[0]?.[1].created, "the submission was not created");
      setError(answers[1]?.[1].notUpdated as Record<string, SetError>, made.email, "invalidProperties");
      await arrived(t, made, []);
    },
  },
  {
    id: "email-created-in-the-request",
    level: "MUST",
    says: "Creation ids may be used in place of ids for records created earlier in the request.",
    run: async (t) => {
      const { identity } = await draft(t);
      const { accountId } = t;
      const own = [{ name: null, email: identity.email }];
      const mark = t.unique("mail").replaceAll("-", "");
      const email = { mailboxIds: yes(await t.box()), from: own, to: own, subject: `Sent ${mark}` };
      const answers = await t.call([
        ["Email/set", { accountId, create: { e: email } }, "0"],
        [
          "EmailSubmission/set",
          { accountId, create: { s: { identityId: identity.id, emailId: "#e" } }, onSuccessDestroyEmail: ["#s"] },
          "1",
        ],
      ]);
      same(
        names(answers),
        [
          ["Email/set", "0"],
          ["EmailSubmission/set", "1"],
          ["Email/set", "1"],
        ],
        "names and call ids of the responses",
      );
      const { id } = await arrived(t, { identity, email: "", threadId: "", mark }, []);
      t.destroyLater("Email", id);
    },
  },
  {
    id: "on-success-both",
    level: "MUST",
    says: single,
    run: async (t) => {
      const [kept, gone] = [await draft(t), await draft(t)];
      const { accountId } = t;
      const of = ({ identity, email }: Draft): Json => ({ identityId: identity.id, emailId: email });
      const create = { a: of(kept), b: of(gone), c: { ...of(kept), emailId: nowhere } };
      const patches = { "#a": { "keywords/$draft": null }, "#c": { "keywords/never": true } };
      const args = { accountId, create, onSuccessUpdateEmail: patches, onSuccessDestroyEmail: ["#b"] };
      const answers = await t.call([["EmailSubmission/set", args, "call"]]);
      const created = (answers[0]?.[1].created ?? {}) as Record<string, { id: string }>;
      for (const { id } of Object.values(created)) t.destroyLater("EmailSubmission", id);
      same(names(answers), implicit, "names and call ids of the responses");
      same(Object.keys(created).sort(), ["a", "b"], "created");
      same((await getEmail(t, kept.email, ["keywords"])).keywords, {}, "keywords of the updated Email");
      same(await t.get("Email", [gone.email], ["id"]), [], "the destroyed Email");
    },
  },
  {
    id: "state-mismatch",
    level: "MUST",
    says: "ifInState is never ignored. A mismatch fails the whole call with stateMismatch.",
    run: async (t) => {
      const made = await draft(t);
      const create = { s: { identityId: made.identity.id, emailId: made.email } };
      await t.error("EmailSubmission/set", { ifInState: "no-such-state", create }, "stateMismatch");
    },
  },
  {
    id: "created-properties",
    level: "MUST",
    says: 'This is a standard "/set" method: created contains the properties that the client did not send, like id, threadId, sendAt and undoStatus.',
    run: async (t) => {
      const made = await draft(t);
      const { created } = await trySubmit(t, made);
      ok(created?.s, "not created");
      t.destroyLater("EmailSubmission", created.s.id);
      for (const name of ["id", "threadId", "sendAt", "undoStatus"]) ok(name in created.s, `created lacks ${name}`);
    },
  },
]);
