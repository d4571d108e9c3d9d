import type { Json } from "../client/types.ts";
import type { TestContext } from "../runner/context.ts";
import { defineTests } from "../runner/define.ts";
import { equal, includes, matches, ok, oneOf, same, setError } from "../runner/expect.ts";
import {
  arrived,
  draft,
  getSubmission,
  held,
  neverArrives,
  ownIdentity,
  sendGroup,
  submit,
  submitLater,
  submitRefused,
} from "./sending.ts";
import { getEmail, nowhere, source } from "./support.ts";

const group = sendGroup("7.5", "EmailSubmission/set");
const foreign = "someone@not-ours.conformance.example";

const refused = defineTests(group, [
  {
    id: "email-not-found",
    level: "MUST",
    says: 'If the Email or Identity id given cannot be found, the submission creation is rejected with a standard "invalidProperties" SetError.',
    run: async (t) => void (await submitRefused(t, await draft(t), { emailId: nowhere }, "invalidProperties")),
  },
  {
    id: "identity-not-found",
    level: "MUST",
    says: 'If the Email or Identity id given cannot be found, the submission creation is rejected with a standard "invalidProperties" SetError.',
    run: async (t) => void (await submitRefused(t, await draft(t), { identityId: nowhere }, "invalidProperties")),
  },
  {
    id: "no-recipients",
    level: "MUST",
    says: '"noRecipients" - The envelope (supplied or generated) does not have any rcptTo email addresses.',
    run: async (t) => {
      await submitRefused(t, await draft(t, { to: null }), {}, "noRecipients");
      const made = await draft(t);
      const envelope = { mailFrom: { email: made.identity.email }, rcptTo: [] };
      await submitRefused(t, made, { envelope }, "noRecipients");
    },
  },
  {
    id: "invalid-recipients",
    level: "MUST",
    says: '"invalidRecipients" - The "rcptTo" property of the envelope contains at least one rcptTo value, which is not a valid email address for sending to. An "invalidRecipients" "String[]" property MUST also be present on the SetError, which is a list of the invalid addresses.',
    run: async (t) => {
      const made = await draft(t);
      const { email } = made.identity;
      const envelope = { mailFrom: { email }, rcptTo: [{ email }, { email: "no address" }, { email: "@@" }] };
      const error = await submitRefused(t, made, { envelope }, "invalidRecipients");
      for (const address of ["no address", "@@"]) includes(error.invalidRecipients, address, "invalidRecipients");
      equal((error.invalidRecipients as string[]).length, 2, "number of invalidRecipients");
    },
  },
  {
    id: "invalid-recipients-generated",
    level: "MUST",
    says: '"invalidRecipients" - The "rcptTo" property of the envelope (supplied or generated) contains at least one rcptTo value, which is not a valid email address for sending to.',
    run: async (t) => {
      const made = await draft(t, { to: [{ name: null, email: "half" }] });
      const error = await submitRefused(t, made, {}, ["invalidRecipients", "invalidEmail"]);
      if (error.type === "invalidRecipients") includes(error.invalidRecipients, "half", "invalidRecipients");
    },
  },
  {
    id: "forbidden-mail-from",
    level: "MUST",
    says: '"forbiddenMailFrom" - The server does not permit the user to send a message with the envelope From address [RFC5321]. (The server MUST also enforce appropriate restrictions on the MAIL FROM address.)',
    run: async (t) => {
      const made = await draft(t);
      const envelope = { mailFrom: { email: foreign }, rcptTo: [{ email: made.identity.email }] };
      await submitRefused(t, made, { envelope }, "forbiddenMailFrom");
    },
  },
  {
    id: "forbidden-from",
    level: "SHOULD",
    says: 'Servers SHOULD reject submissions where the From header field of the message does not correspond to the associated Identity. "forbiddenFrom" - The server does not permit the user to send a message with the From header field [RFC5322] of the message to be sent.',
    run: async (t) => {
      const made = await draft(t, { from: [{ name: null, email: foreign }] });
      await submitRefused(t, made, {}, "forbiddenFrom");
    },
  },
  {
    id: "invalid-email",
    level: "MUST",
    says: 'When processing each create, the server must check that the message is valid. "invalidEmail" - The Email to be sent is invalid in some way.',
    run: async (t) =>
      void (await submitRefused(t, await draft(t, { from: null }), {}, ["invalidEmail", "forbiddenFrom"])),
  },
  {
    id: "invalid-email-properties",
    level: "SHOULD",
    says: '"invalidEmail": The SetError SHOULD contain a property called "properties" of type "String[]" that lists *all* the properties of the Email that were invalid.',
    run: async (t) => {
      const error = await submitRefused(t, await draft(t, { from: null }), {}, ["invalidEmail", "forbiddenFrom"]);
      if (error.type !== "invalidEmail") t.skip("the server gives another error");
      includes(error.properties, "from", "properties");
    },
  },
  {
    id: "bad-envelope",
    level: "MUST",
    says: 'This is a standard "/set" method: invalidProperties. (An Envelope object has the following properties: mailFrom, rcptTo.)',
    run: async (t) => {
      const made = await draft(t);
      const { email } = made.identity;
      const list: Json[] = [
        { rcptTo: [{ email }] },
        { mailFrom: { email } },
        { mailFrom: email, rcptTo: [{ email }] },
        { mailFrom: { email }, rcptTo: [email] },
      ];
      for (const envelope of list) await submitRefused(t, made, { envelope }, ["invalidProperties", "noRecipients"]);
    },
  },
  ...["sendAt", "threadId", "deliveryStatus", "dsnBlobIds", "mdnBlobIds", "id", "noSuchProperty"].map((name) => ({
    id: `server-set-${name.toLowerCase()}`,
    level: "MUST" as const,
    says: "threadId, sendAt, deliveryStatus, dsnBlobIds, mdnBlobIds: (server-set).",
    run: async (t: TestContext) =>
      void (await submitRefused(t, await draft(t), { [name]: "2030-01-01T00:00:00Z" }, "invalidProperties")),
  })),
  ...["identityId", "emailId"].map((name) => ({
    id: `missing-${name.toLowerCase()}`,
    level: "MUST" as const,
    says: "identityId: The id of the Identity to associate with this submission. emailId: The id of the Email to send.",
    run: async (t: TestContext) =>
      void (await submitRefused(t, await draft(t), { [name]: undefined }, "invalidProperties")),
  })),
]);

const sent = defineTests(group, [
  {
    id: "delivers",
    level: "MUST",
    says: 'If the creation succeeds, the message will be sent to the recipients given in the envelope "rcptTo" parameter.',
    run: async (t) => {
      const made = await draft(t, { cc: [{ name: "Żółw", email: "nobody@not-ours.conformance.example" }] });
      const { email } = made.identity;
      await submit(t, made, { envelope: { mailFrom: { email }, rcptTo: [{ email }] } });
      const found = await arrived(t, made, ["subject", "cc", "preview", "keywords"]);
      const expected = {
        subject: `Sent ${made.mark}`,
        cc: [{ name: "Żółw", email: "nobody@not-ours.conformance.example" }],
      };
      matches(found, expected, "delivered Email");
      ok(!("$draft" in (found.keywords as Json)), "the delivered Email is a draft");
    },
  },
  {
    id: "delivers-to-another",
    level: "MUST",
    needs: ["user2"],
    says: 'If the creation succeeds, the message will be sent to the recipients given in the envelope "rcptTo" parameter.',
    run: async (t) => {
      const second = t.client2.session.username;
      if (!second.includes("@")) t.skip("the second user's address is not known");
      const made = await draft(t, { to: [{ name: "Second", email: second }] });
      await submit(t, made);
      const { from } = await arrived(t, made, ["from"], true);
      matches(from, [{ email: made.identity.email }], "from");
    },
  },
  {
    id: "bcc-removed",
    level: "MUST",
    says: "The server MUST remove any Bcc header field present on the message during delivery.",
    run: async (t) => {
      const { email } = await ownIdentity(t);
      const made = await draft(t, { bcc: [{ name: "Secret", email }] });
      await submit(t, made);
      const { id, blobId } = (await arrived(t, made, ["blobId"])) as { id: string; blobId: string };
      equal((await getEmail(t, id, ["bcc"])).bcc, null, "bcc of the delivered Email");
      ok(!/^bcc:/im.test(await source(t, blobId)), "the delivered message has a Bcc header field");
      matches((await getEmail(t, made.email, ["bcc"])).bcc, [{ email }], "bcc of the draft");
    },
  },
  {
    id: "not-a-draft",
    level: "MUST",
    says: "emailId: The Email being sent does not have to be a draft.",
    run: async (t) => {
      const made = await draft(t, { keywords: { $seen: true } });
      await submit(t, made);
      await arrived(t, made, []);
    },
  },
  {
    id: "email-destroyed-after",
    level: "MUST",
    says: 'If the referenced Email is destroyed at any point after the EmailSubmission object is created, this MUST NOT change the behaviour of the submission (i.e., it does not cancel a future send). The "emailId" and "threadId" properties of the EmailSubmission object remain.',
    run: async (t) => {
      const made = await draft(t);
      const id = await submit(t, made, { envelope: held(t, made, 3) });
      await t.set("Email", { destroy: [made.email] });
      matches(await getSubmission(t, id), { emailId: made.email, threadId: made.threadId }, "EmailSubmission");
      await arrived(t, made, []);
    },
  },
  {
    id: "submission-destroyed-after",
    level: "MUST",
    says: "Similarly, destroying an EmailSubmission object MUST NOT affect the deliveries it represents. It purely removes the record of the submission. The server MAY forbid the client from manually destroying EmailSubmission objects.",
    run: async (t) => {
      const made = await draft(t);
      const id = await submit(t, made, { envelope: held(t, made, 3) });
      const answer = await t.set("EmailSubmission", { destroy: [id] });
      if (answer.notDestroyed)
        oneOf(answer.notDestroyed[id]?.type, ["forbidden", "willDestroy"], "type of the SetError");
      else same(await t.get("EmailSubmission", [id]), [], "EmailSubmission");
      await arrived(t, made, []);
    },
  },
]);

const undo = defineTests(group, [
  {
    id: "cancel",
    level: "MUST",
    says: 'If in pending state, a client can attempt to cancel the submission by setting this property to "canceled"; if the update succeeds, the submission was successfully canceled, and the message has not been delivered to any of the original recipients.',
    run: async (t) => {
      const made = await draft(t);
      const id = await submit(t, made, { envelope: held(t, made, 3) });
      equal((await getSubmission(t, id)).undoStatus, "pending", "undoStatus");
      const answer = await t.set("EmailSubmission", { update: { [id]: { undoStatus: "canceled" } } });
      if (answer.notUpdated) return void setError(answer.notUpdated, id, "cannotUnsend");
      equal((await getSubmission(t, id)).undoStatus, "canceled", "undoStatus");
      await neverArrives(t, made, 5000);
    },
  },
  {
    id: "cancel-final",
    level: "MUST",
    says: '"final": The message has been relayed to at least one recipient in a manner that cannot be recalled. It is no longer possible to cancel this submission.',
    run: async (t) => {
      const made = await draft(t);
      const id = await submit(t, made);
      await arrived(t, made, []);
      const { undoStatus } = await getSubmission(t, id);
      oneOf(undoStatus, ["final", "pending"], "undoStatus");
      const answer = await t.set("EmailSubmission", { update: { [id]: { undoStatus: "canceled" } } });
      setError(answer.notUpdated, id, ["cannotUnsend", "invalidProperties"]);
    },
  },
  {
    id: "undo-status-values",
    level: "MUST",
    says: 'undoStatus: […] MUST be one of the following values: "pending", "final", "canceled". (A client can only set it to "canceled".)',
    run: async (t) => {
      const id = await submitLater(t, await draft(t));
      for (const undoStatus of ["final", "other", null]) {
        const { notUpdated } = await t.set("EmailSubmission", { update: { [id]: { undoStatus } } });
        setError(notUpdated, id, ["invalidProperties", "cannotUnsend"]);
      }
    },
  },
  {
    id: "immutable",
    level: "MUST",
    says: "identityId, emailId, threadId, envelope, sendAt: (immutable).",
    run: async (t) => {
      const id = await submitLater(t, await draft(t));
      const other = await draft(t);
      const patches: Json[] = [
        { emailId: other.email },
        { identityId: nowhere },
        { threadId: other.threadId },
        { sendAt: "2030-01-01T00:00:00Z" },
        { envelope: null },
      ];
      for (const patch of patches) {
        const { notUpdated } = await t.set("EmailSubmission", { update: { [id]: patch } });
        setError(notUpdated, id, "invalidProperties");
      }
    },
  },
  {
    id: "not-found",
    level: "MUST",
    says: 'This is a standard "/set" method: notFound.',
    run: async (t) => {
      const update = { [nowhere]: { undoStatus: "canceled" } };
      setError((await t.set("EmailSubmission", { update })).notUpdated, nowhere, "notFound");
      setError((await t.set("EmailSubmission", { destroy: [nowhere] })).notDestroyed, nowhere, "notFound");
    },
  },
]);

export const submissionSet = [...refused, ...sent, ...undo];
