import type { Json } from "../client/types.ts";
import { defineTests } from "../runner/define.ts";
import { equal, isId, isUnsignedInt, matches, ok, same } from "../runner/expect.ts";
import { create, getEmail, mailGroup, source, table, textBody } from "./support.ts";

const group = mailGroup("4.6", "Email/set: create");
const ann = [{ name: "Ann", email: "ann@example.com" }];
const bob = [{ name: null, email: "bob@example.com" }];

/** The properties that are asked back, as given. */
type Row = { id: string; says: string; email: Json; expected?: Json };
const parsed =
  "Due to the format of the Email object, when creating an Email, there are a number of ways to specify the same information.";
const rows: Row[] = [
  { id: "addresses", says: parsed, email: { from: ann, to: bob, cc: bob, bcc: bob, sender: ann, replyTo: bob } },
  { id: "subject", says: parsed, email: { subject: "Hello there" } },
  { id: "subject-unicode", says: parsed, email: { subject: "Zażółć gęślą jaźń 😀 日本語" } },
  { id: "subject-long", says: parsed, email: { subject: "A very long subject with many words ".repeat(20).trim() } },
  { id: "subject-long-unicode", says: parsed, email: { subject: "żółw ".repeat(80).trim() } },
  { id: "subject-long-word", says: parsed, email: { subject: `a ${"x".repeat(1500)} b` } },
  { id: "subject-looks-encoded", says: parsed, email: { subject: "=?utf-8?q?not_encoded?=" } },
  {
    id: "name-quotes",
    says: parsed,
    email: { from: [{ name: 'Ann "The Boss" \\ Lee, Jr.', email: "ann@example.com" }] },
  },
  {
    id: "name-unicode",
    says: parsed,
    email: {
      to: [
        { name: "Żółw, Zoë", email: "z@example.com" },
        { name: "日本", email: "j@example.com" },
      ],
    },
  },
  {
    id: "many-recipients",
    says: parsed,
    email: {
      to: Array.from({ length: 60 }, (_, at) => ({ name: `Recipient Number ${at}`, email: `r${at}@example.com` })),
    },
  },
  {
    id: "message-ids",
    says: parsed,
    email: {
      messageId: ["own.id@example.com"],
      inReplyTo: ["a@example.com"],
      references: ["a@example.com", "b@example.com"],
    },
  },
  {
    id: "many-references",
    says: parsed,
    email: { references: Array.from({ length: 50 }, (_, at) => `reference-number-${at}@long.example.com`) },
  },
  { id: "long-message-id", says: parsed, email: { references: [`${"reference-".repeat(120)}@example.com`] } },
  {
    id: "name-long-word",
    says: parsed,
    email: { to: [{ name: "x".repeat(1500), email: "bob@example.com" }] },
  },
  {
    id: "sent-at",
    says: "sentAt: default on creation: current server time.",
    email: { sentAt: "2018-07-10T11:03:11+10:00" },
  },
  {
    id: "received-at",
    says: "receivedAt: default: time of creation on server.",
    email: { receivedAt: "2018-07-10T01:03:11Z" },
  },
  { id: "keywords", says: "keywords: default: {}.", email: { keywords: { $draft: true, $seen: true, todo: true } } },
  { id: "header-raw", says: parsed, email: { "header:X-Own": " raw value" } },
  { id: "header-raw-folded", says: parsed, email: { "header:X-Own": " raw\r\n value" } },
  { id: "header-text", says: parsed, email: { "header:X-Own:asText": "Café text" } },
  { id: "header-addresses", says: parsed, email: { "header:X-Own:asAddresses": [...ann, ...bob] } },
  {
    id: "header-grouped",
    says: parsed,
    email: {
      "header:To:asGroupedAddresses": [
        { name: "Friends", addresses: [...ann, ...bob] },
        { name: null, addresses: bob },
      ],
    },
  },
  {
    id: "header-addresses-unnamed",
    says: 'name: "String|null".',
    email: { to: [{ email: "bob@example.com" }], "header:Cc:asAddresses": [{ email: "bob@example.com" }] },
    expected: { to: bob, cc: bob },
  },
  {
    id: "header-grouped-unnamed",
    says: 'name: "String|null".',
    email: { "header:To:asGroupedAddresses": [{ addresses: [{ email: "bob@example.com" }] }] },
    expected: { "header:To:asGroupedAddresses": [{ name: null, addresses: bob }] },
  },
  { id: "header-message-ids", says: parsed, email: { "header:X-Own:asMessageIds": ["a@b.example", "c@d.example"] } },
  { id: "header-date", says: parsed, email: { "header:Resent-Date:asDate": "2020-02-03T04:05:06-03:30" } },
  {
    id: "header-urls",
    says: parsed,
    email: { "header:List-Post:asURLs": ["mailto:a@example.com", "https://example.com/a?b=c"] },
  },
  {
    id: "header-long-url",
    says: parsed,
    email: { "header:List-Help:asURLs": [`https://example.com/${"x".repeat(1500)}`] },
  },
  { id: "header-long-word", says: parsed, email: { "header:X-Own:asText": "x".repeat(1500) } },
  { id: "header-all", says: parsed, email: { "header:X-Own:all": [" one", " two"] } },
  { id: "header-all-text", says: parsed, email: { "header:X-Own:asText:all": ["one", "żwo"] } },
  {
    id: "header-standard-by-name",
    says: parsed,
    email: { "header:From:asAddresses": ann, "header:Subject:asText": "by name" },
  },
  { id: "header-subject-raw", says: parsed, email: { "header:Subject": " raw subject" } },
];

const roundTrips = defineTests(group, [
  ...table<Row>(rows, ({ id, says, email, expected = email }) => ({
    id: `create-${id}`,
    level: "MUST",
    says,
    run: async (t) => {
      const made = await create(t, { ...email, ...textBody("text") });
      matches(await getEmail(t, made.id, Object.keys(expected)), expected, "Email");
    },
  })),
  {
    id: "created-properties",
    level: "MUST",
    says: 'For successfully created Email objects, the "created" response contains the "id", "blobId", "threadId", and "size" properties of the object.',
    run: async (t) => {
      const made = await create(t, { subject: "a", ...textBody("text") });
      for (const name of ["id", "blobId", "threadId"] as const) isId(made[name], name);
      isUnsignedInt(made.size, "size");
      matches(made, await getEmail(t, made.id, ["id", "blobId", "threadId", "size"]), "created");
    },
  },
  {
    id: "message-id-of-root-part",
    level: "MUST",
    says: "If not included, the server MUST generate and set a Message-ID header field in conformance with [RFC5322], Section 3.6.4 and a Date header field in conformance with Section 3.6.1.",
    run: async (t) => {
      const date = " Tue, 10 Jul 2018 11:03:11 +1000";
      const root = { "header:Message-ID": " <own.id@example.com>", "header:Date": date };
      const made = await create(t, {
        bodyStructure: { partId: "1", type: "text/plain", ...root },
        bodyValues: { 1: { value: "text" } },
      });
      const properties = ["header:Message-ID:asMessageIds:all", "header:Date:all"];
      const expected = { [properties[0]!]: [["own.id@example.com"]], [properties[1]!]: [date] };
      matches(await getEmail(t, made.id, properties), expected, "Email");
    },
  },
  {
    id: "generated-message-id",
    level: "MUST",
    says: "If not included, the server MUST generate and set a Message-ID header field in conformance with [RFC5322], Section 3.6.4 and a Date header field in conformance with Section 3.6.1.",
    run: async (t) => {
      const made = [await create(t, textBody("one")), await create(t, textBody("two"))];
      const ids = new Set<unknown>();
      for (const { id } of made) {
        const email = await getEmail(t, id, ["messageId", "sentAt", "header:Message-ID", "header:Date", "receivedAt"]);
        const list = email.messageId as string[] | null;
        equal(list?.length, 1, "number of messageIds");
        ok(
          /^\s*<[^<>@\s]+@[^<>@\s]+>\s*$/.test(String(email["header:Message-ID"])),
          `Message-ID is ${email["header:Message-ID"]}`,
        );
        const date =
          /^\s*((Mon|Tue|Wed|Thu|Fri|Sat|Sun), )?\d{1,2} (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d(:\d\d)? [+-]\d{4}/;
        ok(date.test(String(email["header:Date"])), `Date is ${email["header:Date"]}`);
        for (const name of ["sentAt", "receivedAt"]) {
          const age = Math.abs(Date.now() - Date.parse(String(email[name])));
          ok(age < 24 * 3600_000, `${name} is ${email[name]}`);
        }
        ids.add(list?.[0]);
      }
      equal(ids.size, 2, "number of different Message-IDs");
    },
  },
  {
    id: "valid-message",
    level: "MUST",
    says: "What is created is a message [RFC5322]: lines end in CRLF, no line has more than 998 octets, each header field stands once.",
    run: async (t) => {
      const made = await create(t, {
        from: [{ name: "Zoë", email: "zoe@example.com" }],
        to: Array.from({ length: 80 }, (_, at) => ({ name: `Żółw ${at}`, email: `r${at}@example.com` })),
        subject: "żółw ".repeat(100),
        references: Array.from({ length: 60 }, (_, at) => `reference-${at}@example.com`),
        ...textBody(`${"long line ".repeat(500)}\nshort\n.\nżółw\nFrom here\n`),
      });
      const text = await source(t, made.blobId);
      ok(!/[^\r]\n|\r[^\n]/.test(text), "a line does not end in CRLF");
      for (const line of text.split("\r\n")) ok(Buffer.byteLength(line) <= 998, "a line has more than 998 octets");
      const head = text.slice(0, text.indexOf("\r\n\r\n"));
      for (const name of ["From", "Date", "Message-ID", "MIME-Version"]) {
        equal(head.match(new RegExp(`^${name}:`, "gim"))?.length, 1, `number of ${name} header fields`);
      }
    },
  },
  {
    id: "valid-message-long-words",
    level: "SHOULD",
    says: "What is created is a message [RFC5322]: no line has more than 998 octets, whether or not there are blanks to fold it at.",
    run: async (t) => {
      const long = "x".repeat(1500);
      const made = await create(t, {
        from: [{ name: long, email: "zoe@example.com" }],
        subject: long,
        references: [`${long}@example.com`],
        "header:List-Help:asURLs": [`https://example.com/${long}`],
        "header:X-Text:asText": long,
        "header:X-Raw": ` ${long}`,
        bodyStructure: {
          type: "multipart/mixed",
          subParts: [
            { partId: "1", type: "text/plain" },
            {
              partId: "1",
              type: "text/csv",
              name: `${long}.csv`,
              disposition: "attachment",
              cid: `${long}@example.com`,
            },
          ],
        },
        bodyValues: { 1: { value: `${long}\n${"żółw ".repeat(400)}\n` } },
      });
      const text = await source(t, made.blobId);
      for (const line of text.split("\r\n")) ok(Buffer.byteLength(line) <= 998, "a line has more than 998 octets");
    },
  },
  {
    id: "ascii-headers",
    level: "SHOULD",
    says: "What is created is a message [RFC5322], so that any server can take it: header fields are ASCII.",
    run: async (t) => {
      const to = [{ name: "Żółw", email: "z@example.com" }];
      const made = await create(t, { to, subject: "Zażółć", "header:X-Own:asText": "gęślą", ...textBody("jaźń") });
      const [head] = (await source(t, made.blobId)).split("\r\n\r\n");
      ok(/^[\t\r\n -~]*$/.test(head ?? ""), "a header field is not ASCII");
    },
  },
  {
    id: "create-empty-body",
    level: "MUST",
    says: "Creating a draft. (Nothing but mailboxIds has to be given.)",
    run: async (t) => {
      const made = await create(t, { subject: "without a body" });
      equal((await getEmail(t, made.id, ["subject"])).subject, "without a body", "subject");
    },
  },
  {
    id: "draft-invalid-address",
    level: "MAY",
    says: "The final message generated may be invalid per RFC 5322. For example, if it is a half-finished draft, the To header field may have a value that does not conform to the required syntax for this header.",
    run: async (t) => {
      const made = await create(t, { to: [{ name: null, email: "half" }], ...textBody("text") });
      same((await getEmail(t, made.id, ["to"])).to, [{ name: null, email: "half" }], "to");
    },
  },
  {
    id: "null-headers",
    level: "MUST",
    says: 'inReplyTo: "String[]|null"; cc: "EmailAddress[]|null"; subject: "String|null".',
    run: async (t) => {
      const nothing = {
        cc: null,
        bcc: null,
        replyTo: null,
        inReplyTo: null,
        references: null,
        sender: null,
        subject: null,
      };
      const made = await create(t, { ...nothing, ...textBody("text") });
      matches(await getEmail(t, made.id, Object.keys(nothing)), nothing, "Email");
    },
  },
  {
    id: "no-header-injection",
    level: "MUST",
    says: "The message to create is unambiguous: a value cannot make a header field of its own.",
    run: async (t) => {
      const box = await t.box();
      const evil = "a\r\nX-Injected: yes";
      const emails: Json[] = [
        { subject: evil },
        { from: [{ name: evil, email: "a@example.com" }] },
        { "header:X-Own:asText": evil },
        { "header:X-Own": ` ${evil}` },
      ];
      const list = emails.map((email, at) => [
        `k${at}`,
        { mailboxIds: { [box]: true }, ...email, ...textBody("text") },
      ]);
      const { created } = await t.set<{ id: string }>("Email", { create: Object.fromEntries(list) });
      for (const [key, { id }] of Object.entries(created ?? {})) {
        const found = await getEmail(t, id, ["header:X-Injected"]);
        equal(found["header:X-Injected"], null, `the injected header of ${key}`);
      }
    },
  },
]);

export const emailCreate = roundTrips;
