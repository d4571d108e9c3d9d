import type { Json } from "../client/types.ts";
import { defineTests } from "../runner/define.ts";
import { equal, same } from "../runner/expect.ts";
import { getEmail, header, imported, mailGroup, message, table } from "./support.ts";

const group = mailGroup("4.1.3", "Header fields properties");

const raw = message(
  "Received: from a.example by b.example; Tue, 14 Jan 2025 10:20:30 +0000",
  "received: from c.example by d.example; Tue, 14 Jan 2025 10:20:29 +0000",
  "From: Ann <ann@example.com>",
  "Sender: Secretary <sec@example.com>",
  "Reply-To: reply@example.com",
  "To: Bob <bob@example.com>, cy@example.com",
  "CC: dee@example.com",
  "Bcc: eve@example.com",
  "Subject: =?utf-8?q?Caf=C3=A9?=",
  "DATE: Tue, 14 Jan 2025 10:20:30 +0100",
  "Message-ID: <one@example.com>",
  "In-Reply-To: <zero@example.com>",
  "References: <first@example.com> <zero@example.com>",
  "X-Twice: one",
  "x-twice: two",
  "Resent-To: r1@example.com",
  "Resent-To: R Two <r2@example.com>, r3@example.com",
  "MIME-Version: 1.0",
  "Content-Type: text/plain",
  "",
  "text",
);

const basic = defineTests(group, [
  {
    id: "headers",
    level: "MUST",
    says: "headers: This is a list of all header fields [RFC5322], in the same order they appear in the message. name: with the same capitalization that it has in the message; value: in Raw form.",
    run: async (t) => {
      const { headers } = await imported(t, raw, ["headers"]);
      const expected = raw
        .split("\r\n\r\n")[0]
        ?.split("\r\n")
        .map((line) => ({ name: line.slice(0, line.indexOf(":")), value: line.slice(line.indexOf(":") + 1) }));
      same(headers, expected, "headers");
    },
  },
  {
    id: "last",
    level: "MUST",
    says: "If this suffix is not used, the result is the value of the *last* instance of the header field, or null if none.",
    run: async (t) => {
      const email = await imported(t, raw, ["header:X-Twice", "header:X-Never"]);
      equal(email["header:X-Twice"], " two", "header:X-Twice");
      equal(email["header:X-Never"], null, "header:X-Never");
    },
  },
  {
    id: "all",
    level: "MUST",
    says: ":all means the value is an array, with the items corresponding to each instance of the header field, in the order they appear in the message.",
    run: async (t) => {
      const email = await imported(t, raw, ["header:X-Twice:all", "header:X-Never:all", "header:Subject:all"]);
      same(email["header:X-Twice:all"], [" one", " two"], "header:X-Twice:all");
      same(email["header:X-Never:all"], [], "header:X-Never:all");
      same(email["header:Subject:all"], [" =?utf-8?q?Caf=C3=A9?="], "header:Subject:all");
    },
  },
  {
    id: "form-and-all",
    level: "MUST",
    says: '"header:Resent-To:asAddresses:all": Find *all* header fields named Resent-To. For each instance, parse the header field value in the Addresses form. The result is of type "EmailAddress[][]".',
    run: async (t) => {
      const name = "header:Resent-To:asAddresses:all";
      const email = await imported(t, raw, [name]);
      const first = [{ name: null, email: "r1@example.com" }];
      const second = [
        { name: "R Two", email: "r2@example.com" },
        { name: null, email: "r3@example.com" },
      ];
      same(email[name], [first, second], name);
    },
  },
  {
    id: "case-insensitive",
    level: "MUST",
    says: "Header field names are matched case insensitively.",
    run: async (t) => {
      const email = await imported(t, raw, ["header:subject", "header:RECEIVED:all"]);
      equal(email["header:subject"], " =?utf-8?q?Caf=C3=A9?=", "header:subject");
      equal((email["header:RECEIVED:all"] as unknown[]).length, 2, "number of values");
    },
  },
  {
    id: "several-forms",
    level: "MUST",
    says: "The client may request/send properties representing individual header fields of the form: header:{header-field-name}.",
    run: async (t) => {
      const properties = ["header:Subject", "header:Subject:asText", "header:subject:asText:all", "subject"];
      const { id: _, ...email } = await imported(t, raw, properties);
      const expected = {
        "header:Subject": " =?utf-8?q?Caf=C3=A9?=",
        "header:Subject:asText": "Café",
        "header:subject:asText:all": ["Café"],
        subject: "Café",
      };
      same(email, expected, "Email");
    },
  },
  {
    id: "name-characters",
    level: "MUST",
    says: '"{header-field-name}" means any series of one or more printable ASCII characters (i.e., characters that have values between 33 and 126, inclusive), except for colon (:).',
    run: async (t) => {
      equal(await header(t, ["X-odd!#$%&'*+.^_`|~name: v"], "header:X-odd!#$%&'*+.^_`|~name"), " v", "value");
    },
  },
  ...table(
    [
      "header:",
      "header:X Test",
      "header:Subject:all:asText",
      "header:Subject:asNothing",
      "header:Subject:asText:all:all",
    ],
    (property) => ({
      id: `bad-property-${
        property
          .replace(/\W+/g, "-")
          .replace(/^header-?/, "")
          .toLowerCase() || "no-name"
      }`,
      level: "MUST",
      says: "If both suffixes are used, they MUST be specified in the order above. (A property that does not exist is an invalid argument of /get.)",
      run: async (t) => {
        const { id } = await t.email();
        await t.error("Email/get", { ids: [id], properties: [property] }, "invalidArguments");
      },
    }),
  ),
]);

const ann = [{ name: "Ann", email: "ann@example.com" }];
const convenience: [string, string, unknown][] = [
  ["messageId", "header:Message-ID:asMessageIds", ["one@example.com"]],
  ["inReplyTo", "header:In-Reply-To:asMessageIds", ["zero@example.com"]],
  ["references", "header:References:asMessageIds", ["first@example.com", "zero@example.com"]],
  ["sender", "header:Sender:asAddresses", [{ name: "Secretary", email: "sec@example.com" }]],
  ["from", "header:From:asAddresses", ann],
  [
    "to",
    "header:To:asAddresses",
    [
      { name: "Bob", email: "bob@example.com" },
      { name: null, email: "cy@example.com" },
    ],
  ],
  ["cc", "header:Cc:asAddresses", [{ name: null, email: "dee@example.com" }]],
  ["bcc", "header:Bcc:asAddresses", [{ name: null, email: "eve@example.com" }]],
  ["replyTo", "header:Reply-To:asAddresses", [{ name: null, email: "reply@example.com" }]],
  ["subject", "header:Subject:asText", "Café"],
  ["sentAt", "header:Date:asDate", "2025-01-14T10:20:30+01:00"],
];

const conveniences = defineTests(group, [
  ...table(convenience, ([name, long, expected]) => ({
    id: `convenience-${name.toLowerCase()}`,
    level: "MUST",
    says: `${name}: The value is identical to the value of "${long}".`,
    run: async (t) => {
      const email = await imported(t, raw, [name, long]);
      same(email[name], expected, name);
      same(email[long], expected, long);
    },
  })),
  {
    id: "convenience-missing",
    level: "MUST",
    says: 'messageId: "String[]|null"; inReplyTo; references; sender: "EmailAddress[]|null"; […] subject: "String|null"; sentAt: "Date|null".',
    run: async (t) => {
      const names = ["inReplyTo", "references", "sender", "to", "cc", "bcc", "replyTo", "subject"];
      const bare = message("From: ann@example.com", "Date: Tue, 14 Jan 2025 10:20:30 +0100", "", "text");
      const { id: _, ...email } = await imported(t, bare, names);
      const expected: Json = Object.fromEntries(names.map((name) => [name, null]));
      same(email, expected, "Email");
    },
  },
]);

const forms = ["asText", "asAddresses", "asGroupedAddresses", "asMessageIds", "asDate", "asURLs"] as const;
const addresses = ["asAddresses", "asGroupedAddresses"];
const allowed: [string, readonly string[]][] = [
  ["Subject", ["asText"]],
  ["Comments", ["asText"]],
  ["Keywords", ["asText"]],
  // RFC 2919 defines it, so that any form may be asked for.
  ["List-Id", forms],
  ...["From", "Sender", "Reply-To", "To", "Cc", "Bcc"].map((name): [string, string[]] => [name, addresses]),
  ...["From", "Sender", "Reply-To", "To", "Cc", "Bcc"].map((name): [string, string[]] => [`Resent-${name}`, addresses]),
  ...["Message-ID", "In-Reply-To", "References", "Resent-Message-ID"].map((name): [string, string[]] => [
    name,
    ["asMessageIds"],
  ]),
  ["Date", ["asDate"]],
  ["Resent-Date", ["asDate"]],
  ...["Help", "Unsubscribe", "Subscribe", "Post", "Owner", "Archive"].map((name): [string, string[]] => [
    `List-${name}`,
    ["asURLs"],
  ]),
  ["Return-Path", []],
  ["Received", []],
  ["X-Anything", forms],
];

const restrictions = defineTests(mailGroup("4.2", "Email/get: forbidden forms"), [
  ...table(allowed, ([name, good]) => ({
    id: `forms-${name.toLowerCase()}`,
    level: "MUST",
    says: 'Parsed forms of headers may only be used on appropriate header fields. Attempting to fetch a form that is forbidden (e.g., "header:From:asDate") MUST result in the method call being rejected with an "invalidArguments" error.',
    run: async (t) => {
      const ids = [(await t.email()).id];
      for (const form of forms) {
        const properties = [`header:${name}:${form}`];
        if (good.includes(form)) await getEmail(t, ids[0] as string, properties);
        else await t.error("Email/get", { ids, properties }, "invalidArguments");
      }
    },
  })),
  {
    id: "forms-case-insensitive-name",
    level: "MUST",
    says: 'Header field names are matched case insensitively. […] Attempting to fetch a form that is forbidden MUST result in […] "invalidArguments".',
    run: async (t) => {
      const ids = [(await t.email()).id];
      await t.error("Email/get", { ids, properties: ["header:FROM:asDate"] }, "invalidArguments");
      await t.error("Email/get", { ids, properties: ["header:date:asText:all"] }, "invalidArguments");
    },
  },
  {
    id: "forms-in-body-properties",
    level: "MUST",
    says: "The client may request/send EmailBodyPart properties representing individual header fields, following the same syntax and semantics as for the Email object.",
    run: async (t) => {
      const ids = [(await t.email()).id];
      const args = { ids, properties: ["bodyStructure"], bodyProperties: ["header:Subject:asDate"] };
      await t.error("Email/get", args, "invalidArguments");
    },
  },
]);

export const headers = [...basic, ...conveniences, ...restrictions];
