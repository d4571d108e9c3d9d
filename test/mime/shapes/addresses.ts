import { mail, type Shape, utf8 } from "./shape.ts";

const from = (field: string): string => mail`From: ${field}
Subject: x

y
`;
const to = (field: string): string => mail`From: ada@example.com
To: ${field}

y
`;

export const addressShapes: Shape[] = [
  {
    name: "Exchange: undisclosed-recipients as an empty group",
    raw: to("undisclosed-recipients:;"),
    want: { from: "ada@example.com", to: "" },
  },
  {
    name: "mailing software: a group with members, and one after it",
    raw: to("Team: Ada <ada@example.com>, bob@example.com;, Cy <cy@example.com>"),
    want: { to: "Ada <ada@example.com> | bob@example.com | Cy <cy@example.com>" },
  },
  {
    name: "several authors in From, with a Sender",
    raw: mail`From: Ada <ada@example.com>,
 "Bob B." <bob@example.com>
Sender: Secretary <sec@example.com>

y
`,
    want: {
      from: "Ada <ada@example.com> | Bob B. <bob@example.com>",
      sender: "Secretary <sec@example.com>",
    },
  },
  {
    name: "old relay: a source route",
    raw: from("Ada <@relay.example,@hub.example:ada@example.com>"),
    want: { from: "Ada <ada@example.com>" },
  },
  {
    name: "initials with unquoted dots",
    raw: from("J. R. R. Doe Jr. <doe@example.com>"),
    want: { from: "J. R. R. Doe Jr. <doe@example.com>" },
  },
  {
    name: "an address as the unquoted name",
    raw: from("ada@work.example <ada@home.example>"),
    want: { from: "ada@work.example <ada@home.example>" },
  },
  {
    name: "an unquoted @ in the name",
    raw: from("Ada @ Work <ada@example.com>"),
    want: { from: "Ada @ Work <ada@example.com>" },
  },
  {
    name: "Outlook: an encoded name with a comma in it",
    raw: from("=?iso-8859-1?Q?M=FCller,_J=F6rg?= <jm@example.com>"),
    want: { from: "Müller, Jörg <jm@example.com>" },
    unlike: { from: "doubles the blank" },
  },
  {
    name: "Outlook: last name first, quoted",
    raw: to('"Doe, John" <john@example.com>; "Roe, Jane" <jane@example.com>'),
    want: { to: "Doe, John <john@example.com> | Roe, Jane <jane@example.com>" },
  },
  {
    name: "Outlook: the address in single quotes as its name",
    raw: to("\"'bob@example.com'\" <bob@example.com>"),
    want: { to: "'bob@example.com' <bob@example.com>" },
  },
  {
    name: "an unquoted colon in the name",
    raw: from("Re: Ada <ada@example.com>"),
    want: { from: "Ada <ada@example.com>" },
  },
  {
    name: "ticket system: brackets in the name",
    raw: from("[JIRA] Ada (Support) <jira@example.com>"),
    want: { from: "[JIRA] Ada <jira@example.com>" },
  },
  {
    name: "Unix mail: the name as a comment",
    raw: from("ada@example.com (Ada Lovelace)"),
    want: { from: "Ada Lovelace <ada@example.com>" },
  },
  {
    name: "an encoded name as a comment",
    raw: from("joerg@example.com (=?utf-8?Q?J=C3=B6rg?=)"),
    want: { from: "Jörg <joerg@example.com>" },
  },
  {
    name: "no blank between name and address",
    raw: from('"Ada Lovelace"<ada@example.com>'),
    want: { from: "Ada Lovelace <ada@example.com>" },
  },
  {
    name: "no blank between encoded name and address",
    raw: from("=?utf-8?B?SsO2cmc=?=<joerg@example.com>"),
    want: { from: "Jörg <joerg@example.com>" },
  },
  {
    name: "an encoded word inside quotes",
    raw: from('"=?utf-8?Q?J=C3=B6rg?=" <joerg@example.com>'),
    want: { from: "=?utf-8?Q?J=C3=B6rg?= <joerg@example.com>" },
    unlike: { from: "decodes it, though RFC 8621 §4.1.2.2 forbids that" },
  },
  {
    name: "a long name in several encoded words, cut inside a character",
    raw: from("=?utf-8?Q?J=C3?=\n =?utf-8?Q?=B6rg_?=\n =?utf-8?Q?M=C3=BCller?= <jm@example.com>"),
    want: { from: "Jörg Müller <jm@example.com>" },
  },
  {
    name: "encoded and plain words mixed",
    raw: from("Dr. =?iso-8859-1?Q?J=F6rg?= Doe <jd@example.com>"),
    want: { from: "Dr. Jörg Doe <jd@example.com>" },
  },
  {
    name: "SMTPUTF8: raw UTF-8 in name and address",
    raw: from(utf8("Jörg Müller <jörg@müller.example>")),
    want: { from: "Jörg Müller <jörg@müller.example>" },
  },
  {
    name: "PHP: raw ISO-8859-1 in the name",
    raw: from("J\xf6rg <joerg@example.com>"),
    want: { from: "J\ufffdrg <joerg@example.com>" },
  },
  {
    name: "an address alone, without brackets or domain",
    raw: from("root"),
    want: { from: "root" },
    unlike: { from: "takes it for a name" },
  },
  {
    name: "cron: a user with a comment",
    raw: from("root (Cron Daemon)"),
    want: { from: "Cron Daemon <root>" },
    unlike: { from: "finds no address without @" },
  },
  {
    name: "doubled angle brackets",
    raw: from("Ada <<ada@example.com>>"),
    want: { from: "Ada <ada@example.com>" },
    unlike: { from: "keeps a bracket in the name" },
  },
  {
    name: "web form: mailto in the brackets",
    raw: from("Ada <mailto:ada@example.com>"),
    want: { from: "Ada <ada@example.com>" },
    unlike: { from: "keeps the scheme" },
  },
  {
    name: "the closing bracket forgotten",
    raw: to("Ada <ada@example.com, Bob <bob@example.com>"),
    want: { to: "Ada <ada@example.com> | Bob <bob@example.com>" },
    unlike: { to: "loses the first of the two" },
  },
  {
    name: "the comma forgotten",
    raw: to("Ada <ada@example.com> Bob <bob@example.com>"),
    want: { to: "Ada <ada@example.com> | Bob <bob@example.com>" },
    unlike: { to: "puts the second into the name of the first" },
  },
  {
    name: "stray commas",
    raw: to(", ada@example.com,, bob@example.com, "),
    want: { to: "ada@example.com | bob@example.com" },
  },
  {
    name: "a quoted local part",
    raw: to('"ada lovelace"@example.com, <"a,b"@example.com>'),
    want: { to: '"ada lovelace"@example.com | "a,b"@example.com' },
  },
  {
    name: "escaped quotes in the name",
    raw: from('"Ada \\"Countess\\" Lovelace" <ada@example.com>'),
    want: { from: 'Ada "Countess" Lovelace <ada@example.com>' },
  },
  {
    name: "X.400 gateway: an address with slashes and equals signs",
    raw: from("</G=Ada/S=Lovelace/O=Example/C=GB/@gateway.example>"),
    want: { from: "/G=Ada/S=Lovelace/O=Example/C=GB/@gateway.example" },
  },
  {
    name: "VERP and SRS senders",
    raw: from("SRS0=abc=XY=example.org=ada@example.com, bounces+bob=example.net@example.com"),
    want: { from: "SRS0=abc=XY=example.org=ada@example.com | bounces+bob=example.net@example.com" },
  },
  {
    name: "bounces: an empty address",
    raw: from("<>"),
    want: { from: "" },
  },
  {
    name: "MAILER-DAEMON with a name after it",
    raw: from("MAILER-DAEMON@example.com (Mail Delivery System)"),
    want: { from: "Mail Delivery System <MAILER-DAEMON@example.com>" },
  },
  {
    name: "an unquoted comma in the name: it cannot be told from a half-written address",
    raw: from("Doe, John <john@example.com>"),
    want: { from: "Doe | John <john@example.com>" },
    unlike: { from: "takes both for the name, as a reader would" },
  },
  {
    name: "list rewriting From: quoted and plain words",
    raw: from('"Ada Lovelace" via List <list@example.com>'),
    want: { from: "Ada Lovelace via List <list@example.com>" },
  },
  {
    name: "an encoded name before an address without brackets",
    raw: from("=?utf-8?Q?J=C3=B6rg?= joerg@example.com"),
    want: { from: "Jörg <joerg@example.com>" },
  },
  {
    name: "an encoded name that contains quotes",
    raw: from("=?utf-8?Q?=22J=C3=B6rg=22?= <joerg@example.com>"),
    want: { from: '"Jörg" <joerg@example.com>' },
  },
  {
    name: "the whole mailbox folded between every word",
    raw: from("Ada\n Lovelace\n <ada@example.com>"),
    want: { from: "Ada Lovelace <ada@example.com>" },
  },
];
