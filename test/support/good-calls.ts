import { newToken } from "../../src/auth/secrets.ts";
import { decodeId, encodeId, idPrefix } from "../../src/base/ids.ts";
import { prepareMessage } from "../../src/mail/deliver/prepare.ts";
import { addToken } from "../../src/store/directory/tokens.ts";
import { asking, type FuzzWorld } from "./fuzz-world.ts";

type Json = Record<string, unknown>;

const parts = { partId: "1", type: "text/plain" };
const filter = {
  operator: "AND",
  conditions: [
    { text: "quick fox", notKeyword: "$draft", minSize: 1, before: "2030-01-01T00:00:00Z" },
    { operator: "NOT", conditions: [{ subject: "nothing" }, { header: ["X-None", "no"] }] },
  ],
};
const sort = [
  { property: "receivedAt", isAscending: false },
  { property: "subject", collation: "i;ascii-casemap" },
];
const window = { position: 0, anchor: null, anchorOffset: 0, limit: 10, calculateTotal: true };
const stateOf = async ({ client }: FuzzWorld, type: string) => (await client.call(`${type}/get`, { ids: [] })).state;
const get = (id: string, properties: string[]) => ({ ids: [id], properties });
const changes = async (world: FuzzWorld, type: string) => ({
  sinceState: await stateOf(world, type),
  maxChanges: 10,
});
const queryChanges = async (world: FuzzWorld, type: string, more: Json) => ({
  sinceQueryState: await stateOf(world, type),
  maxChanges: 10,
  upToId: null,
  calculateTotal: true,
  ...more,
});
const ofMailboxes = {
  filter: { operator: "OR", conditions: [{ role: "inbox" }, { name: "box", hasAnyRole: false, parentId: null }] },
  sort: [{ property: "sortOrder" }, { property: "name", isAscending: false }],
};
const ofSubmissions = ({ identity, email }: FuzzWorld) => ({
  filter: { identityIds: [identity], emailIds: [email], undoStatus: "pending", after: "2020-01-01T00:00:00Z" },
  sort: [{ property: "sentAt" }],
});
const ofQuotas = {
  filter: {
    operator: "AND",
    conditions: [
      { name: "a", scope: "account" },
      { resourceType: "octets", type: "Email" },
    ],
  },
  sort: [{ property: "used" }],
};

/** Valid arguments for each method, with most of its properties; `accountId` is added if it is missing. */
export const goodCalls: Record<string, (world: FuzzWorld) => Json | Promise<Json>> = {
  "Core/echo": () => ({ hello: [1, { deep: true }] }),
  "Blob/copy": async ({ account, other, client, otherEmail }) => {
    const { list } = await client.call("Email/get", { accountId: other, ids: [otherEmail], properties: ["blobId"] });
    return { fromAccountId: other, accountId: account, blobIds: [(list as Json[])[0]!.blobId] };
  },
  "PushSubscription/get": async (world) =>
    get(await world.newPushSubscription(), ["deviceClientId", "expires", "types"]),
  "PushSubscription/set": async (world) => ({
    update: { [await world.newPushSubscription()]: { types: ["Email"], expires: null } },
    create: {
      a: {
        deviceClientId: "device",
        url: "https://push.invalid/a",
        expires: "2030-01-01T00:00:00Z",
        types: ["Email", "Mailbox"],
        keys: {
          p256dh: "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
          auth: "BTBZMqHH6r4Tts7J_aSIgg",
        },
      },
    },
  }),
  "Mailbox/get": ({ inbox }) => get(inbox, ["name", "role", "totalEmails", "myRights"]),
  "Mailbox/changes": (world) => changes(world, "Mailbox"),
  "Mailbox/query": () => ({ ...ofMailboxes, ...window, sortAsTree: true, filterAsTree: false }),
  "Mailbox/queryChanges": (world) => queryChanges(world, "Mailbox", ofMailboxes),
  "Mailbox/set": async (world) => ({
    ifInState: null,
    onDestroyRemoveEmails: false,
    create: { a: { name: `new ${Math.random()}`, parentId: world.inbox, sortOrder: 3, isSubscribed: true } },
    update: { [await world.newMailbox()]: { name: `other ${Math.random()}`, parentId: "#a", role: null } },
    destroy: [await world.newMailbox()],
  }),
  "Thread/get": ({ thread }) => get(thread, ["id", "emailIds"]),
  "Thread/changes": (world) => changes(world, "Thread"),
  "Email/get": ({ email }) => ({
    ...get(email, [
      "subject",
      "from",
      "bodyStructure",
      "header:Subject:asText",
      "header:To:asAddresses:all",
      "bodyValues",
    ]),
    bodyProperties: ["partId", "blobId", "type", "header:Content-Type"],
    fetchTextBodyValues: true,
    fetchHTMLBodyValues: false,
    fetchAllBodyValues: true,
    maxBodyValueBytes: 100,
  }),
  "Email/changes": (world) => changes(world, "Email"),
  "Email/query": ({ inbox }) => ({
    filter: { operator: "AND", conditions: [{ inMailbox: inbox }, filter] },
    sort,
    ...window,
    collapseThreads: true,
  }),
  "Email/queryChanges": (world) => queryChanges(world, "Email", { filter, sort, collapseThreads: false }),
  "Email/set": async (world) => ({
    ifInState: null,
    create: {
      a: {
        mailboxIds: { [world.inbox]: true },
        keywords: { $draft: true, custom: true },
        from: [{ name: "Me, myself", email: world.address }],
        to: [{ email: "eve@there.test" }],
        subject: "Grüße",
        sentAt: "2026-02-03T04:05:06+01:00",
        receivedAt: "2026-02-03T04:05:06Z",
        references: ["one@there.test"],
        "header:X-One:asText": "été",
        textBody: [parts],
        htmlBody: [{ partId: "2", type: "text/html" }],
        bodyValues: { 1: { value: "Hello\n" }, 2: { value: "<b>Hello</b>", isTruncated: false } },
        attachments: [
          { blobId: world.blob, type: "message/rfc822", name: "a.eml", disposition: "attachment", cid: "c" },
        ],
      },
      b: {
        mailboxIds: { [world.inbox]: true },
        subject: "made of parts",
        bodyStructure: {
          type: "multipart/mixed",
          subParts: [parts, { blobId: world.blob, type: "application/pdf", "header:X-Part": " one", language: ["en"] }],
        },
        bodyValues: { 1: { value: "Hello" } },
      },
    },
    update: {
      [await world.newEmail()]: { "keywords/$seen": true, [`mailboxIds/${world.archive}`]: true, "keywords/x": null },
      [await world.newEmail()]: { keywords: { $flagged: true }, mailboxIds: { [world.archive]: true } },
    },
    destroy: [await world.newEmail()],
  }),
  "Email/copy": ({ account, other, inbox, otherEmail }) => ({
    fromAccountId: other,
    accountId: account,
    ifFromInState: null,
    ifInState: null,
    create: {
      a: {
        id: otherEmail,
        mailboxIds: { [inbox]: true },
        keywords: { $seen: true },
        receivedAt: "2026-01-02T03:04:05Z",
      },
    },
    onSuccessDestroyOriginal: false,
    destroyFromIfInState: null,
  }),
  "Email/import": ({ inbox, blob }) => ({
    ifInState: null,
    emails: {
      a: {
        blobId: blob,
        mailboxIds: { [inbox]: true },
        keywords: { $seen: true },
        receivedAt: "2026-01-02T03:04:05Z",
      },
    },
  }),
  "Email/parse": ({ blob }) => ({
    blobIds: [blob],
    properties: ["subject", "from", "textBody", "attachments", "bodyValues"],
    bodyProperties: ["partId", "type", "size"],
    fetchAllBodyValues: true,
    maxBodyValueBytes: 10,
  }),
  "SearchSnippet/get": ({ email }) => ({ emailIds: [email], filter }),
  "Identity/get": ({ identity }) => get(identity, ["name", "email", "replyTo"]),
  "Identity/changes": (world) => changes(world, "Identity"),
  "Identity/set": async (world) => ({
    ifInState: null,
    create: {
      a: {
        name: "Me",
        email: world.address,
        replyTo: [{ name: null, email: "reply@there.test" }],
        bcc: null,
        textSignature: "-- me",
        htmlSignature: "<i>me</i>",
      },
    },
    update: { [await world.newIdentity()]: { name: "You", bcc: [{ name: "B", email: "b@there.test" }] } },
    destroy: [await world.newIdentity()],
  }),
  "EmailSubmission/get": async (world) => get(await world.newSubmission(), ["emailId", "envelope", "deliveryStatus"]),
  "EmailSubmission/changes": (world) => changes(world, "EmailSubmission"),
  "EmailSubmission/query": (world) => ({ ...ofSubmissions(world), ...window }),
  "EmailSubmission/queryChanges": (world) => queryChanges(world, "EmailSubmission", ofSubmissions(world)),
  "EmailSubmission/set": async (world) => {
    const email = await world.newDraft();
    return {
      ifInState: null,
      create: {
        a: {
          identityId: world.identity,
          emailId: email,
          envelope: {
            mailFrom: { email: world.address, parameters: { HOLDFOR: "60", RET: "HDRS", ENVID: "x" } },
            rcptTo: [{ email: "eve@there.test", parameters: { NOTIFY: "SUCCESS,FAILURE" } }, { email: "b@there.test" }],
          },
        },
      },
      update: { [await world.newSubmission()]: { undoStatus: "canceled" } },
      destroy: [await world.newSubmission()],
      onSuccessUpdateEmail: { "#a": { "keywords/$draft": null, "keywords/$sent": true } },
      onSuccessDestroyEmail: [],
    };
  },
  "VacationResponse/get": () => get("singleton", ["isEnabled", "subject"]),
  "VacationResponse/set": () => ({
    ifInState: null,
    update: {
      singleton: {
        isEnabled: true,
        fromDate: "2026-01-01T00:00:00Z",
        toDate: "2026-02-01T00:00:00Z",
        subject: "Away",
        textBody: `Back soon ${Math.random()}`,
        htmlBody: "<b>Back soon</b>",
      },
    },
  }),
  "Blob/get": ({ blob }) => ({
    ids: [blob],
    properties: ["data:asText", "data:asBase64", "digest:sha-256", "size"],
    offset: 3,
    length: 10,
  }),
  "Blob/lookup": ({ blob }) => ({ ids: [blob], typeNames: ["Email", "Thread", "Mailbox"] }),
  "Blob/upload": ({ blob }) => ({
    create: {
      a: { data: [{ "data:asText": "hello" }, { blobId: blob, offset: 0, length: 4 }], type: "text/plain" },
      b: { data: [{ blobId: "#a" }, { "data:asBase64": "aGVsbG8=" }], type: null },
    },
  }),
  "Quota/get": () => ({ ids: null, properties: ["name", "used", "hardLimit"] }),
  "Quota/changes": (world) => changes(world, "Quota"),
  "Quota/query": () => ({ ...ofQuotas, ...window }),
  "Quota/queryChanges": (world) => queryChanges(world, "Quota", ofQuotas),
  "MDN/send": async (world) => {
    const forEmailId = await world.newEmail(asking(`asking${Math.random()}`));
    return {
      identityId: world.identity,
      send: {
        a: {
          forEmailId,
          subject: "Read",
          textBody: "I read it",
          reportingUA: "joes-pc; Mail 1",
          includeOriginalMessage: true,
          disposition: { actionMode: "manual-action", sendingMode: "mdn-sent-manually", type: "displayed" },
          extensionFields: { "X-Extension": "example" },
        },
      },
      onSuccessUpdateEmail: { "#a": { "keywords/$mdnsent": true } },
    };
  },
  "MDN/parse": ({ report }) => ({ blobIds: [report] }),
  "AppPassword/get": () => ({ ids: null, properties: ["label", "lastUsedAt"] }),
  "AppPassword/set": () => ({ create: { a: { label: "phone" }, b: { label: "laptop" } }, destroy: ["#a", "#b"] }),
  "SignIn/get": () => ({ ids: null, properties: ["label", "agent", "isCurrent"] }),
  "SignIn/set": async ({ client }) => {
    const { login, services } = client;
    const { id, hash } = newToken(services.random, login.userId);
    const owner = { login: login.login, userId: login.userId };
    const token = { ...owner, id, hash, label: "cron", expiresAt: undefined };
    await addToken({ database: services.store.database, clock: services.clock }, token);
    const { responses } = await client.request([["SignIn/get", {}, "c"]]);
    return { destroy: [(responses[0]![1].list as Json[]).at(-1)!.id] };
  },
  "SecondFactor/get": () => ({ ids: null, properties: ["isNeeded", "totp", "passkeys", "recoveryCodesLeft"] }),
  "Unsubscribe/post": async (world) => ({ emailId: await mailOfList(world) }),
  // Hashing a password takes long: src/jmap/password/set.test.ts changes one.
  "Password/set": () => ({ update: { singleton: {} } }),
  "DataExport/get": () => ({ ids: null, properties: ["state", "blobId", "expiresAt"] }),
  "DataExport/changes": (world) => changes(world, "DataExport"),
  "DataExport/set": () => ({ create: { a: {} }, update: {}, destroy: [] }),
  "MaskedAddress/get": () => ({ ids: null, properties: ["email", "label", "state", "senders"] }),
  "MaskedAddress/changes": (world) => changes(world, "MaskedAddress"),
  "MaskedAddress/set": () => ({ create: { a: { label: "shop", state: "enabled" } }, update: {}, destroy: [] }),
  "DeletedEmail/list": () => ({}),
  "DeletedEmail/restore": async ({ client, account }) => {
    const { responses } = await client.request([["DeletedEmail/list", { accountId: account }, "c"]]);
    return { ids: (responses[0]![1].list as Json[]).slice(0, 1).map(({ id }) => id) };
  },
  "SuppressedAddress/list": () => ({}),
  "SuppressedAddress/lift": () => ({ addresses: ["gone@far.test"] }),
};

/** A mail whose valid signature covers the way off its list. */
async function mailOfList({ client, account }: FuzzWorld): Promise<string> {
  const { services } = client;
  const bytes = Buffer.from(
    [
      "DKIM-Signature: v=1; a=rsa-sha256; d=shop.test; s=s1; h=From:List-Unsubscribe:List-Unsubscribe-Post; bh=x; b=y",
      "List-Unsubscribe: <https://lists.shop.test/leave?who=7>",
      "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
      ...["From: shop@shop.test", "Subject: Sale", "", "Buy.", ""],
    ].join("\r\n"),
  );
  const outcome = await services.ingest.add(decodeId(idPrefix.account, account)!, {
    blob: await services.blobs.put(bytes),
    prepared: prepareMessage(bytes),
    ...{ target: { role: "inbox" }, keywords: [], receivedAt: new Date() },
    authentication: {
      dkim: [{ result: "pass", domain: "shop.test", selector: "s1" }],
      ...{ spf: { result: "none", domain: null }, dmarc: [] },
      ...{ arc: { result: "none", sealers: [] }, bimi: { result: "none", domain: null } },
    },
  });
  if (!("email" in outcome)) throw new Error("not delivered");
  return encodeId(idPrefix.email, outcome.email.id);
}
