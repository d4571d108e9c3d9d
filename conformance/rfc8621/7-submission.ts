import {
  type ChangesResult,
  type GetResult,
  type Json,
  type QueryChangesResult,
  type QueryResult,
  submission,
} from "../client/types.ts";
import type { TestContext } from "../runner/context.ts";
import { defineTests } from "../runner/define.ts";
import { equal, excludes, includes, isId, matches, ok, oneOf, same, sameMembers, show } from "../runner/expect.ts";
import {
  arrived,
  type Draft,
  draft,
  getSubmission,
  held,
  ownIdentity,
  sendGroup,
  submit,
  submitLater,
  submitRefused,
} from "./sending.ts";
import { nowhere } from "./support.ts";

const group = sendGroup("7", "Email submission");

const properties = defineTests(group, [
  {
    id: "properties",
    level: "MUST",
    says: "It has the following properties: id, identityId, emailId, threadId, envelope, sendAt, undoStatus, deliveryStatus, dsnBlobIds, mdnBlobIds.",
    run: async (t) => {
      const made = await draft(t);
      const found = await getSubmission(t, await submit(t, made));
      isId(found.id, "id");
      matches(found, { identityId: made.identity.id, emailId: made.email, threadId: made.threadId }, "EmailSubmission");
      oneOf(found.undoStatus, ["pending", "final", "canceled"], "undoStatus");
      ok(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(found.sendAt), `sendAt is ${found.sendAt}`);
      same([found.dsnBlobIds, found.mdnBlobIds], [[], []], "dsnBlobIds and mdnBlobIds");
    },
  },
  {
    id: "delivery-status",
    level: "MUST",
    says: 'delivered: This MUST be one of the following values: "queued", "yes", "no", "unknown". displayed: This MUST be one of the following values: "unknown", "yes". smtpReply: A 3-digit SMTP reply code, then a single space character, […].',
    run: async (t) => {
      const made = await draft(t);
      const id = await submit(t, made);
      await arrived(t, made, []);
      const { deliveryStatus } = await getSubmission(t, id, ["deliveryStatus"]);
      if (deliveryStatus === null) return t.skip("the server does not tell the delivery status");
      sameMembers(Object.keys(deliveryStatus), [made.identity.email], "addresses in deliveryStatus");
      for (const { smtpReply, delivered, displayed } of Object.values(deliveryStatus)) {
        oneOf(delivered, ["queued", "yes", "no", "unknown"], "delivered");
        oneOf(displayed, ["unknown", "yes"], "displayed");
        ok(/^\d{3} /.test(smtpReply), `smtpReply is ${show(smtpReply)}`);
        ok(!/[\r\n]/.test(smtpReply), "smtpReply holds a line end");
      }
    },
  },
  {
    id: "delivery-status-delivered",
    level: "SHOULD",
    says: 'Servers that support it SHOULD update the EmailSubmission object each time the status of any of the recipients changes. "yes": The message was successfully delivered to the mail store of the recipient.',
    run: async (t) => {
      const made = await draft(t);
      const id = await submit(t, made);
      await arrived(t, made, []);
      await t.eventually(async () => {
        const { deliveryStatus } = await getSubmission(t, id, ["deliveryStatus"]);
        if (deliveryStatus === null) t.skip("the server does not tell the delivery status");
        oneOf(deliveryStatus?.[made.identity.email]?.delivered, ["yes", "unknown"], "delivered");
      });
    },
  },
  {
    id: "send-at-now",
    level: "MUST",
    says: "sendAt: If the client successfully used FUTURERELEASE, this MUST be the time when the server will release the message; otherwise, it MUST be the time the EmailSubmission was created.",
    run: async (t) => {
      const { sendAt } = await getSubmission(t, await submit(t, await draft(t)), ["sendAt"]);
      ok(Math.abs(Date.now() - Date.parse(sendAt)) < 24 * 3600_000, `sendAt is ${sendAt}`);
    },
  },
  {
    id: "send-at-future",
    level: "MUST",
    says: "sendAt: If the client successfully used FUTURERELEASE [RFC4865] with the submission, this MUST be the time when the server will release the message.",
    run: async (t) => {
      const now = (await getSubmission(t, await submitLater(t, await draft(t), 600), ["sendAt"])).sendAt;
      const later = (await getSubmission(t, await submitLater(t, await draft(t), 4200), ["sendAt"])).sendAt;
      const hours = (Date.parse(later) - Date.parse(now)) / 3600_000;
      ok(hours > 0.9 && hours < 1.1, `sendAt of two submissions an hour apart: ${now}, ${later}`);
    },
  },
  {
    id: "hold-until",
    level: "MUST",
    says: "sendAt: […] this MUST be the time when the server will release the message. (HOLDUNTIL of RFC 4865.)",
    run: async (t) => {
      const made = await draft(t);
      const envelope = held(t, made, 7200);
      const until = new Date(Date.now() + 3600_000).toISOString().replace(/\.\d+Z$/, "Z");
      envelope.mailFrom.parameters = { HOLDUNTIL: until };
      const id = await submit(t, made, { envelope });
      t.defer(() => t.set("EmailSubmission", { update: { [id]: { undoStatus: "canceled" } } }));
      equal(Date.parse((await getSubmission(t, id, ["sendAt"])).sendAt), Date.parse(until), "sendAt");
    },
  },
  {
    id: "hold-too-long",
    level: "MUST",
    says: "maxDelayedSend: The number in seconds of the maximum delay the server supports in sending.",
    run: async (t) => {
      const made = await draft(t);
      const { maxDelayedSend } = t.account.accountCapabilities[submission] as { maxDelayedSend: number };
      if (maxDelayedSend === 0) t.skip("the server does not delay sending");
      const { email } = made.identity;
      const envelope = {
        mailFrom: { email, parameters: { HOLDFOR: String(maxDelayedSend + 1000) } },
        rcptTo: [{ email }],
      };
      await submitRefused(t, made, { envelope }, ["invalidProperties", "forbiddenToSend"]);
    },
  },
]);

/** Recipients with the same address of the user, so that nothing leaves the server. */
type Generated = { id: string; says: string; email: (own: string) => Json; mailFrom: (own: string) => string };
const fromHeaders =
  "mailFrom: The email address in the Sender header field, if present; otherwise, it's the email address in the From header field, if present. In either case, no parameters are added.";
const generated: Generated[] = [
  { id: "from", says: fromHeaders, email: () => ({}), mailFrom: (own) => own },
  {
    id: "sender",
    says: fromHeaders,
    email: (own) => ({ sender: [{ name: "S", email: own }] }),
    mailFrom: (own) => own,
  },
  {
    id: "sender-not-allowed",
    says: 'If the address found from this is not allowed by the Identity associated with this submission, the "email" property from the Identity MUST be used instead.',
    email: () => ({ sender: [{ name: "S", email: "someone@not-ours.conformance.example" }] }),
    mailFrom: (own) => own,
  },
];

const envelopes = defineTests(group, [
  ...generated.map(({ id, says, email, mailFrom }) => ({
    id: `envelope-${id}`,
    level: "MUST" as const,
    says: `If the "envelope" property is null or omitted on creation, the server MUST generate this from the referenced Email. ${says}`,
    run: async (t: TestContext) => {
      const { email: own } = await ownIdentity(t);
      const made = await draft(t, email(own));
      const { envelope } = await getSubmission(t, await submit(t, made, { envelope: null }), ["envelope"]);
      equal(envelope?.mailFrom.email, mailFrom(own), "email of mailFrom");
      oneOf(envelope?.mailFrom.parameters ?? null, [null, {}], "parameters of mailFrom");
      same(
        envelope?.rcptTo.map((to) => to.email),
        [own],
        "emails of rcptTo",
      );
    },
  })),
  {
    id: "envelope-deduplicated",
    level: "MUST",
    says: "rcptTo: The deduplicated set of email addresses from the To, Cc, and Bcc header fields, if present, with no parameters for any of them.",
    run: async (t) => {
      const { email } = await ownIdentity(t);
      const list = (name: string): Json[] => [{ name, email }];
      const made = await draft(t, { to: list("One"), cc: [...list("Two"), ...list("Three")], bcc: list("Four") });
      const { envelope } = await getSubmission(t, await submit(t, made), ["envelope"]);
      same(
        envelope?.rcptTo.map((to) => to.email),
        [email],
        "emails of rcptTo",
      );
      for (const { parameters } of envelope?.rcptTo ?? []) oneOf(parameters ?? null, [null, {}], "parameters");
    },
  },
  {
    id: "envelope-all-fields",
    level: "MUST",
    needs: ["user2"],
    says: "rcptTo: The deduplicated set of email addresses from the To, Cc, and Bcc header fields, if present.",
    run: async (t) => {
      const { email } = await ownIdentity(t);
      const second = t.client2.session.username;
      if (!second.includes("@")) t.skip("the second user's address is not known");
      const made = await draft(t, { to: null, cc: [{ name: null, email: second }], bcc: [{ name: null, email }] });
      const { envelope } = await getSubmission(t, await submit(t, made), ["envelope"]);
      sameMembers(
        envelope?.rcptTo.map((to) => to.email),
        [email, second],
        "emails of rcptTo",
      );
      await arrived(t, made, [], true);
    },
  },
  {
    id: "envelope-given",
    level: "MUST",
    says: "envelope: Information for use when sending via SMTP. (The one that is given goes before the header fields.)",
    run: async (t) => {
      const made = await draft(t, { to: [{ name: "Nobody", email: "nobody@not-ours.conformance.example" }] });
      const { email } = made.identity;
      const given = { mailFrom: { email, parameters: null }, rcptTo: [{ email, parameters: null }] };
      const { envelope } = await getSubmission(t, await submit(t, made, { envelope: given }), ["envelope"]);
      equal(envelope?.mailFrom.email, email, "email of mailFrom");
      same(
        envelope?.rcptTo.map((to) => to.email),
        [email],
        "emails of rcptTo",
      );
      const { to } = await arrived(t, made, ["to"]);
      same(to, [{ name: "Nobody", email: "nobody@not-ours.conformance.example" }], "to of the delivered message");
    },
  },
  {
    id: "envelope-two-from",
    level: "SHOULD",
    says: "If multiple addresses are present in one of these header fields, or there is more than one Sender/From header field, the server SHOULD reject the EmailSubmission as invalid.",
    run: async (t) => {
      const { email } = await ownIdentity(t);
      const made = await draft(t, {
        from: [
          { name: "A", email },
          { name: "B", email: "b@not-ours.conformance.example" },
        ],
      });
      await submitRefused(t, made, {}, ["invalidEmail", "invalidProperties", "forbiddenFrom", "forbiddenMailFrom"]);
    },
  },
]);

async function ask(t: TestContext, filter: Json, args: Json = {}): Promise<QueryResult> {
  return await t.one<QueryResult>("EmailSubmission/query", { filter, ...args });
}

/** Two that wait and so are still there. */
async function two(t: TestContext): Promise<{ drafts: [Draft, Draft]; ids: [string, string] }> {
  const drafts: [Draft, Draft] = [await draft(t), await draft(t)];
  const ids: [string, string] = [await submitLater(t, drafts[0], 600), await submitLater(t, drafts[1], 3600)];
  return { drafts, ids };
}

const methods = [
  ...defineTests(sendGroup("7.1", "EmailSubmission/get"), [
    {
      id: "get",
      level: "MUST",
      says: 'This is a standard "/get" method.',
      run: async (t) => {
        const { drafts, ids } = await two(t);
        const answer = await t.one<GetResult>("EmailSubmission/get", {
          ids: [ids[0], nowhere],
          properties: ["emailId"],
        });
        same(
          [answer.list, answer.notFound],
          [[{ id: ids[0], emailId: drafts[0].email }], [nowhere]],
          "list and notFound",
        );
      },
    },
  ]),
  ...defineTests(sendGroup("7.2", "EmailSubmission/changes"), [
    {
      id: "changes",
      level: "MUST",
      says: 'This is a standard "/changes" method.',
      run: async (t) => {
        const sinceState = await t.state("EmailSubmission");
        const { ids } = await two(t);
        const answer = await t.one<ChangesResult>("EmailSubmission/changes", { sinceState });
        for (const id of ids) includes(answer.created, id, "created");
        await t.set("EmailSubmission", { update: { [ids[0]]: { undoStatus: "canceled" } } });
        const next = await t.one<ChangesResult>("EmailSubmission/changes", { sinceState: answer.newState });
        includes(next.updated, ids[0], "updated");
      },
    },
  ]),
  ...defineTests(sendGroup("7.3", "EmailSubmission/query"), [
    {
      id: "filter-ids",
      level: "MUST",
      says: 'emailIds: The EmailSubmission "emailId" property must be in this list to match the condition. threadIds: […] identityIds: […]',
      run: async (t) => {
        const { drafts, ids } = await two(t);
        const [a, b] = drafts;
        same((await ask(t, { emailIds: [a.email] })).ids, [ids[0]], "ids by one emailId");
        sameMembers((await ask(t, { emailIds: [a.email, b.email, nowhere] })).ids, ids, "ids by emailIds");
        same((await ask(t, { emailIds: [] })).ids, [], "ids by no emailId");
        same((await ask(t, { threadIds: [b.threadId] })).ids, [ids[1]], "ids by threadIds");
        const both = { identityIds: [a.identity.id], emailIds: [a.email] };
        same((await ask(t, both)).ids, [ids[0]], "ids by identityIds and emailIds");
        same((await ask(t, { ...both, identityIds: [nowhere] })).ids, [], "ids by another identity");
      },
    },
    {
      id: "filter-undo-status",
      level: "MUST",
      says: 'undoStatus: The EmailSubmission "undoStatus" property must be identical to the value given to match the condition.',
      run: async (t) => {
        const { drafts, ids } = await two(t);
        const emailIds = drafts.map(({ email }) => email);
        await t.set("EmailSubmission", { update: { [ids[0]]: { undoStatus: "canceled" } } });
        const found = await t.get<{ id: string; undoStatus: string }>("EmailSubmission", ids, ["undoStatus"]);
        for (const undoStatus of ["pending", "final", "canceled"]) {
          const expected = found.filter((one) => one.undoStatus === undoStatus).map(({ id }) => id);
          sameMembers((await ask(t, { emailIds, undoStatus })).ids, expected, `ids with the undoStatus ${undoStatus}`);
        }
      },
    },
    {
      id: "filter-dates",
      level: "MUST",
      says: 'before: The "sendAt" property of the EmailSubmission object must be before this date-time. after: The "sendAt" property […] must be the same as or after this date-time.',
      run: async (t) => {
        const { drafts, ids } = await two(t);
        const emailIds = drafts.map(({ email }) => email);
        const { sendAt } = await getSubmission(t, ids[1], ["sendAt"]);
        same((await ask(t, { emailIds, before: sendAt })).ids, [ids[0]], "ids before");
        same((await ask(t, { emailIds, after: sendAt })).ids, [ids[1]], "ids after");
      },
    },
    {
      id: "filter-operators",
      level: "MUST",
      says: 'This is a standard "/query" method.',
      run: async (t) => {
        const { drafts, ids } = await two(t);
        const [a, b] = drafts.map(({ email }) => ({ emailIds: [email] }));
        sameMembers((await ask(t, { operator: "OR", conditions: [a, b] })).ids, ids, "ids of OR");
        same((await ask(t, { operator: "AND", conditions: [a, b] })).ids, [], "ids of AND");
        excludes((await ask(t, { operator: "NOT", conditions: [a] })).ids, ids[0], "ids of NOT");
        await t.error("EmailSubmission/query", { filter: { noSuch: 1 } }, ["unsupportedFilter", "invalidArguments"]);
      },
    },
    ...["emailId", "threadId", "sentAt"].map((property) => ({
      id: `sort-${property.toLowerCase()}`,
      level: "MUST" as const,
      says: 'The following EmailSubmission properties MUST be supported for sorting: "emailId", "threadId", "sentAt".',
      run: async (t: TestContext) => {
        const { drafts, ids } = await two(t);
        const filter = { emailIds: drafts.map(({ email }) => email) };
        const up = await ask(t, filter, { sort: [{ property }], calculateTotal: true });
        const down = await ask(t, filter, { sort: [{ property, isAscending: false }] });
        sameMembers(up.ids, ids, "ids");
        same(down.ids, up.ids.toReversed(), "ids in descending order");
        if (property === "sentAt") same(up.ids, ids, "ids");
        equal(up.total, 2, "total");
      },
    })),
  ]),
  ...defineTests(sendGroup("7.4", "EmailSubmission/queryChanges"), [
    {
      id: "query-changes",
      level: "MUST",
      says: 'This is a standard "/queryChanges" method.',
      run: async (t) => {
        const drafts = [await draft(t), await draft(t)] as const;
        const args = { filter: { emailIds: drafts.map(({ email }) => email) }, sort: [{ property: "sentAt" }] };
        const first = await submitLater(t, drafts[0], 600);
        const before = await t.one<QueryResult>("EmailSubmission/query", args);
        if (!before.canCalculateChanges) t.skip("the server cannot calculate the changes of this query");
        const second = await submitLater(t, drafts[1], 3600);
        const since = { ...args, sinceQueryState: before.queryState };
        const { removed, added } = await t.one<QueryChangesResult>("EmailSubmission/queryChanges", since);
        const result = before.ids.filter((id) => !removed.includes(id));
        for (const { id, index } of added) result.splice(index, 0, id);
        same(result, [first, second], "the result with the changes applied");
      },
    },
  ]),
];

export const emailSubmission = [...properties, ...envelopes, ...methods];
