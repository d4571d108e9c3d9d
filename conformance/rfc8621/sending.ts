import { one } from "../client/client.ts";
import { core, type GetResult, type Json, type SetError, type SetResult, submission } from "../client/types.ts";
import type { TestContext } from "../runner/context.ts";
import type { Group } from "../runner/define.ts";
import { ok, setError, show } from "../runner/expect.ts";
import { create, textBody } from "./support.ts";

/** What the tests of EmailSubmission share. */
export type Submission = Json & {
  id: string;
  identityId: string;
  emailId: string;
  threadId: string;
  envelope: Envelope | null;
  sendAt: string;
  undoStatus: string;
  deliveryStatus: Record<string, { smtpReply: string; delivered: string; displayed: string }> | null;
  dsnBlobIds: string[];
  mdnBlobIds: string[];
};
export type Address = { email: string; parameters?: Json | null };
export type Envelope = { mailFrom: Address; rcptTo: Address[] };
export type Identity = Json & { id: string; email: string; name: string };
export type Draft = { identity: Identity; email: string; threadId: string; mark: string };

export function sendGroup(section: string, title: string): Group {
  return { rfc: "rfc8621", section, title, requires: [core, submission] };
}

/** The user's own identity with a whole address: mail goes to it and never leaves the server. */
export async function ownIdentity(t: TestContext): Promise<Identity> {
  const all = await t.get<Identity>("Identity", null);
  return all.find(({ email }) => !email.startsWith("*")) ?? t.skip("the account has no identity");
}

/** A draft from and to the user; whatever arrives of it is removed when the test ends. */
export async function draft(t: TestContext, properties: Json = {}): Promise<Draft> {
  const identity = await ownIdentity(t);
  const mark = t.unique("mail").replaceAll("-", "");
  const own = [{ name: "Own", email: identity.email }];
  const email = {
    from: own,
    to: own,
    subject: `Sent ${mark}`,
    keywords: { $draft: true },
    ...textBody(`Text ${mark}`),
  };
  const { id, threadId } = await create(t, { ...email, ...properties });
  t.defer(() => sweep(t, mark));
  return { identity, email: id, threadId, mark };
}

async function sweep(t: TestContext, mark: string): Promise<void> {
  const box = await t.box();
  const filter = { operator: "AND", conditions: [{ subject: mark }, { inMailboxOtherThan: [box] }] };
  const { ids } = await t.one<{ ids: string[] }>("Email/query", { filter });
  if (ids.length > 0) await t.set("Email", { destroy: ids });
}

/** EmailSubmission/set of one creation, with all responses. */
export async function trySubmit(
  t: TestContext,
  { identity, email }: Draft,
  properties: Json = {},
  more: Json = {},
): Promise<SetResult<Submission>> {
  const create = { s: { identityId: identity.id, emailId: email, ...properties } };
  return await t.set<Submission>("EmailSubmission", { create, ...more });
}

export async function submit(t: TestContext, made: Draft, properties: Json = {}, more: Json = {}): Promise<string> {
  const answer = await trySubmit(t, made, properties, more);
  ok(answer.created?.s, `the submission was not created: ${show(answer.notCreated)}`);
  const { id } = answer.created.s;
  t.destroyLater("EmailSubmission", id);
  return id;
}

/** One that waits so long that the test can look at it; it is canceled at the end. */
export async function submitLater(t: TestContext, made: Draft, seconds = 600, more: Json = {}): Promise<string> {
  const id = await submit(t, made, { envelope: held(t, made, seconds) }, more);
  t.defer(() => t.set("EmailSubmission", { update: { [id]: { undoStatus: "canceled" } } }));
  return id;
}

/** An envelope to the user with FUTURERELEASE [RFC4865]; skips when the server cannot hold mail. */
export function held(t: TestContext, { identity }: Draft, seconds: number): Envelope {
  const { maxDelayedSend } = t.account.accountCapabilities[submission] as { maxDelayedSend: number };
  if (maxDelayedSend < seconds) t.skip("the server does not delay sending so long");
  return {
    mailFrom: { email: identity.email, parameters: { HOLDFOR: String(seconds) } },
    rcptTo: [{ email: identity.email }],
  };
}

/** A refused submission; a server that takes it has the test remove it. */
export async function submitRefused(
  t: TestContext,
  made: Draft,
  properties: Json,
  type: string | readonly string[],
): Promise<SetError> {
  const answer = await trySubmit(t, made, properties);
  if (answer.created?.s) t.destroyLater("EmailSubmission", answer.created.s.id);
  return setError(answer.notCreated, "s", type);
}

export async function getSubmission(t: TestContext, id: string, properties?: readonly string[]): Promise<Submission> {
  const [found] = await t.get<Submission>("EmailSubmission", [id], properties);
  // A server may destroy it as soon as it is sent.
  return found ?? t.skip("the server keeps no submissions that it has sent");
}

/** The email that came of a draft, in the user's account or the second one's. */
export async function arrived(
  t: TestContext,
  { mark }: Draft,
  properties: readonly string[],
  second = false,
): Promise<Json & { id: string }> {
  const client = second ? t.client2 : t.client;
  const box = await t.box();
  const filter = second
    ? { subject: mark }
    : { operator: "AND", conditions: [{ subject: mark }, { inMailboxOtherThan: [box] }] };
  return await t.eventually(async () => {
    const { ids } = await one<{ ids: string[] }>(client, "Email/query", { filter });
    ok(ids.length > 0, "nothing was delivered");
    if (second) t.defer(() => one(client, "Email/set", { destroy: ids }));
    const { list } = await one<GetResult<Json & { id: string }>>(client, "Email/get", {
      ids,
      properties: ["id", ...properties],
    });
    ok(list[0], "the delivered email is gone");
    return list[0];
  }, 20_000);
}

/** Nothing of it must have come within the time. */
export async function neverArrives(t: TestContext, { mark }: Draft, waitMs: number): Promise<void> {
  await t.sleep(waitMs);
  const filter = { operator: "AND", conditions: [{ subject: mark }, { inMailboxOtherThan: [await t.box()] }] };
  const { ids } = await t.one<{ ids: string[] }>("Email/query", { filter });
  ok(ids.length === 0, "the message was delivered");
}
