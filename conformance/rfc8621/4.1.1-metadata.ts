import type { Json } from "../client/types.ts";
import { defineTests } from "../runner/define.ts";
import { differs, equal, isId, isUnsignedInt, ok, same, setError } from "../runner/expect.ts";
import { rawMessage } from "../runner/message.ts";
import { getEmail, mailGroup, source, table, update, updateRefused, yes } from "./support.ts";

const group = mailGroup("4.1.1", "Email: metadata");

const basics = defineTests(group, [
  {
    id: "properties",
    level: "MUST",
    says: 'id: "Id"; blobId: "Id"; threadId: "Id"; mailboxIds: "Id[Boolean]"; keywords: "String[Boolean]"; size: "UnsignedInt"; receivedAt: "UTCDate".',
    run: async (t) => {
      const { id } = await t.email({ keywords: ["$seen"] });
      const email = await getEmail(t, id, null);
      for (const name of ["id", "blobId", "threadId"]) isId(email[name], name);
      same(email.mailboxIds, yes(await t.box()), "mailboxIds");
      same(email.keywords, yes("$seen"), "keywords");
      isUnsignedInt(email.size, "size");
      ok(
        /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d*[1-9])?Z$/.test(String(email.receivedAt)),
        `receivedAt is ${email.receivedAt}`,
      );
    },
  },
  {
    id: "blob",
    level: "MUST",
    says: "blobId: The id representing the raw octets of the message [RFC5322] for this Email. This may be used to download the raw original message.",
    run: async (t) => {
      const raw = rawMessage({ subject: "blob", text: "zażółć\nline" });
      const { blobId } = await t.email({ raw });
      equal(await source(t, blobId), raw, "the downloaded message");
    },
  },
  {
    id: "size",
    level: "MUST",
    says: 'size: The size, in octets, of the raw data for the message (as referenced by the "blobId", i.e., the number of octets in the file the user would download).',
    run: async (t) => {
      const { id } = await t.email({ text: "zażółć gęślą jaźń" });
      const { blobId, size } = await getEmail(t, id, ["blobId", "size"]);
      equal((await t.client.download(blobId)).body.length, size as number, "octets of the downloaded message");
    },
  },
  {
    id: "id-kept",
    level: "MUST",
    says: "The Email id does not change if the Email changes Mailboxes.",
    run: async (t) => {
      const { id, threadId, blobId } = await t.email();
      const other = await t.mailbox();
      await update(t, "Email", id, { mailboxIds: yes(other) });
      const email = await getEmail(t, id, ["mailboxIds", "threadId", "blobId"]);
      same(email, { id, threadId, blobId, mailboxIds: yes(other) }, "Email");
    },
  },
  {
    id: "received-at",
    level: "MUST",
    says: "receivedAt: The date the Email was received by the message store.",
    run: async (t) => {
      const { id } = await t.email({ receivedAt: "2014-10-30T06:12:00Z" });
      equal((await getEmail(t, id, ["receivedAt"])).receivedAt, "2014-10-30T06:12:00Z", "receivedAt");
    },
  },
  {
    id: "mailbox-ids-empty",
    level: "MUST",
    says: "An Email in the mail store MUST belong to one or more Mailboxes at all times (until it is destroyed).",
    run: async (t) => {
      const { id } = await t.email();
      await updateRefused(t, id, { mailboxIds: {} });
      await updateRefused(t, id, { [`mailboxIds/${await t.box()}`]: null });
      same((await getEmail(t, id, ["mailboxIds"])).mailboxIds, yes(await t.box()), "mailboxIds");
    },
  },
  {
    id: "mailbox-ids-false",
    level: "MUST",
    says: "mailboxIds: The value for each key in the object MUST be true.",
    run: async (t) => {
      const { id } = await t.email();
      const [box, other] = [await t.box(), await t.mailbox()];
      await t.set("Email", { update: { [id]: { mailboxIds: { [box]: true, [other]: false } } } });
      same((await getEmail(t, id, ["mailboxIds"])).mailboxIds, yes(box), "mailboxIds");
    },
  },
  {
    id: "mailbox-ids-false-refused",
    level: "SHOULD",
    says: "mailboxIds: The value for each key in the object MUST be true.",
    run: async (t) => {
      const { id } = await t.email();
      const [box, other] = [await t.box(), await t.mailbox()];
      await updateRefused(t, id, { mailboxIds: { [box]: true, [other]: false } }, [
        "invalidProperties",
        "invalidPatch",
      ]);
    },
  },
  {
    id: "immutable",
    level: "MUST",
    says: "blobId, threadId, size, receivedAt: (immutable).",
    run: async (t) => {
      const { id } = await t.email({ receivedAt: "2014-10-30T06:12:00Z" });
      const other = await t.email();
      const patches: Json[] = [
        { blobId: other.blobId },
        { threadId: other.threadId },
        { size: 1 },
        { receivedAt: "2015-10-30T06:12:00Z" },
        { subject: "another" },
      ];
      for (const patch of patches) await updateRefused(t, id, patch);
    },
  },
  {
    id: "same-content-two-ids",
    level: "MUST",
    says: "If duplicates are allowed, the newly created Email object MUST have a separate id and independent mutable properties to the existing object.",
    run: async (t) => {
      const { blobId } = await t.upload(rawMessage({ subject: t.unique("same") }), "message/rfc822");
      const one = { blobId, mailboxIds: yes(await t.box()) };
      const answer = await t.one<Json & { created: Record<string, { id: string }> | null }>("Email/import", {
        emails: { a: one, b: one },
      });
      const { a, b } = answer.created ?? {};
      if (!a || !b) return t.skip("the server does not let two Emails be the same");
      differs(a.id, b.id, "id of the second Email");
      await update(t, "Email", a.id, { "keywords/$flagged": true });
      same((await getEmail(t, b.id, ["keywords"])).keywords, {}, "keywords of the second Email");
    },
  },
]);

const legal = [
  { name: "system", keyword: "$flagged" },
  { name: "word", keyword: "todo" },
  { name: "one-character", keyword: "!" },
  { name: "longest", keyword: "k".repeat(255) },
  { name: "punctuation", keyword: "a!#$&'+,-./:;<=>?@[^_`|}~z" },
];
const illegal = [
  { name: "empty", keyword: "" },
  { name: "too-long", keyword: "k".repeat(256) },
  { name: "space", keyword: "two words" },
  { name: "not-ascii", keyword: "żółw" },
  { name: "control", keyword: "a\u0001b" },
  { name: "delete", keyword: "a\u007fb" },
  ...[...'(){]%*"\\'].map((keyword) => ({ name: `character-${keyword.charCodeAt(0)}`, keyword: `a${keyword}b` })),
];

const keywords = defineTests(group, [
  ...table(legal, ({ name, keyword }) => ({
    id: `keyword-${name}`,
    level: "MUST",
    says: 'A keyword is a case-insensitive string of 1-255 characters in the ASCII subset %x21-%x7e (excludes control chars and space), and it MUST NOT include any of these characters: ( ) { ] % * " \\',
    run: async (t) => {
      const { id } = await t.email({ keywords: [keyword] });
      same((await getEmail(t, id, ["keywords"])).keywords, yes(keyword), "keywords");
    },
  })),
  ...table(illegal, ({ name, keyword }) => ({
    id: `keyword-refused-${name}`,
    level: "MUST",
    says: 'A keyword is a case-insensitive string of 1-255 characters in the ASCII subset %x21-%x7e (excludes control chars and space), and it MUST NOT include any of these characters: ( ) { ] % * " \\',
    run: async (t) => {
      const { id } = await t.email();
      const answer = await t.set("Email", { update: { [id]: { keywords: yes(keyword) } } });
      setError(answer.notUpdated, id, ["invalidProperties", "tooManyKeywords"]);
      same((await getEmail(t, id, ["keywords"])).keywords, {}, "keywords");
    },
  })),
  {
    id: "keyword-lowercase",
    level: "MUST",
    says: "Because JSON is case sensitive, servers MUST return keywords in lowercase.",
    run: async (t) => {
      const { id } = await t.email({ keywords: ["$Seen", "TODO"] });
      same((await getEmail(t, id, ["keywords"])).keywords, yes("$seen", "todo"), "keywords");
    },
  },
  {
    id: "keyword-case-insensitive",
    level: "MUST",
    says: "A keyword is a case-insensitive string.",
    run: async (t) => {
      const { id } = await t.email({ keywords: ["todo"] });
      await update(t, "Email", id, { "keywords/ToDo": null });
      same((await getEmail(t, id, ["keywords"])).keywords, {}, "keywords");
    },
  },
  {
    id: "keyword-false",
    level: "MUST",
    says: "keywords: The value for each key in the object MUST be true.",
    run: async (t) => {
      const { id } = await t.email();
      await t.set("Email", { update: { [id]: { keywords: { todo: false } } } });
      same((await getEmail(t, id, ["keywords"])).keywords, {}, "keywords");
    },
  },
  {
    id: "keyword-false-refused",
    level: "SHOULD",
    says: "keywords: The value for each key in the object MUST be true.",
    run: async (t) => {
      const { id } = await t.email();
      await updateRefused(t, id, { keywords: { todo: false } }, ["invalidProperties", "invalidPatch"]);
    },
  },
  {
    id: "patch-false",
    level: "MUST",
    says: "The value for each key in the object MUST be true. (A patch with false may be refused or taken for a removal.)",
    run: async (t) => {
      const { id } = await t.email({ keywords: ["todo"] });
      const other = await t.mailbox();
      const patch = { "keywords/todo": false, "keywords/never": false, [`mailboxIds/${other}`]: false };
      const { notUpdated } = await t.set("Email", { update: { [id]: patch } });
      const { keywords, mailboxIds } = await getEmail(t, id, ["keywords", "mailboxIds"]);
      same(keywords, notUpdated ? yes("todo") : {}, "keywords");
      same(mailboxIds, yes(await t.box()), "mailboxIds");
    },
  },
  {
    id: "keyword-recent-deleted",
    level: "MUST",
    says: 'The IMAP "\\Recent" keyword is not exposed via JMAP. The IMAP "\\Deleted" keyword is also not present.',
    run: async (t) => {
      const { id } = await t.email();
      same((await getEmail(t, id, ["keywords"])).keywords, {}, "keywords of a new Email");
    },
  },
]);

export const metadata = [...basics, ...keywords];
