import type { Json } from "../client/types.ts";
import type { EmailOptions } from "../runner/context.ts";
import { defineTests } from "../runner/define.ts";
import { sameMembers } from "../runner/expect.ts";
import { mailGroup, query, table } from "./support.ts";

type Row = {
  id: string;
  says: string;
  emails: () => readonly EmailOptions[];
  /** Each filter, and which of the emails it finds. */
  asked: readonly [Json, readonly number[]][];
};

const parts =
  'text: […] and SHOULD look inside any "text/*" or other body parts that may be converted to text by the server.';
const body = "body: Looks for the text in one of the body parts of the message.";
const phrase =
  "Text contained in either (but matched) single (') or double (\") quotes SHOULD be treated as a *phrase search*.";
const tokens =
  "White space SHOULD be treated as dividing separate tokens that […] MUST all be present for the Email to match the filter.";
const not = 'Operators: "NOT": None of the conditions must match for the filter to match.';

const top = ["From: Ann <ann@conformance.example>", "Subject: outer", "MIME-Version: 1.0"];
const inner = [
  "From: Whalebone Inner <inner@corset.example>",
  "To: other@conformance.example",
  "Subject: Narwhal",
  "",
  "tusks inside",
];
const message = (type: string, ...lines: readonly string[]): EmailOptions => ({
  raw: `${[...top, `Content-Type: ${type}`, ...lines].join("\r\n")}\r\n`,
});
const mixed = (type: string, ...lines: readonly string[]) =>
  message("multipart/mixed; boundary=b", "", "--b", "", "see it", "--b", `Content-Type: ${type}`, ...lines, "--b--");
const attached = "Content-Disposition: attachment; filename=whatever";
const base64 = (text: string) => Buffer.from(text).toString("base64");

const inAttached: readonly [Json, readonly number[]][] = [
  [{ body: "tusks" }, [0]],
  [{ text: "narwhal" }, [0]],
  [{ text: "inner@corset.example" }, [0]],
  [{ text: '"whalebone inner"' }, [0]],
  [{ subject: "narwhal" }, []],
  [{ from: "whalebone" }, []],
];
const numbered = (count: number, line: (n: number) => string) =>
  Array.from({ length: count }, (_, n) => line(n)).join("\n");

const rows: Row[] = [
  {
    id: "message-alone",
    says: parts,
    emails: () => [message("message/rfc822", "", ...inner), {}],
    asked: inAttached,
  },
  {
    id: "message-attached",
    says: parts,
    emails: () => [mixed("message/rfc822", attached, "", ...inner), {}],
    asked: inAttached,
  },
  {
    id: "message-digest",
    says: parts,
    emails: () => [message("multipart/digest; boundary=b", "", "--b", "", ...inner, "--b--"), {}],
    asked: inAttached,
  },
  {
    id: "message-nested",
    says: parts,
    emails: () => [
      message("message/rfc822", "", "Subject: middle", "Content-Type: message/rfc822", "", ...inner),
      message("message/rfc822", "", "Subject: middle", "", "nothing"),
    ],
    asked: [...inAttached, [{ text: "middle" }, [0, 1]]],
  },
  {
    id: "delivery-status",
    says: parts,
    emails: () => [
      message(
        "multipart/report; report-type=delivery-status; boundary=b",
        ...["", "--b", "", "It failed.", "--b", "Content-Type: message/delivery-status", ""],
        ...["Reporting-MTA: dns; mx.conformance.example", "", "Final-Recipient: rfc822; lost@gone.example"],
        ...["Action: failed", "Status: 5.1.1", "--b--"],
      ),
      {},
    ],
    asked: [
      [{ text: "lost@gone.example" }, [0]],
      [{ body: "5.1.1" }, [0]],
    ],
  },
  {
    id: "disposition-notification",
    says: parts,
    emails: () => [mixed("message/disposition-notification", "", "Final-Recipient: rfc822; reader@gone.example"), {}],
    asked: [[{ text: "reader@gone.example" }, [0]]],
  },
  {
    id: "calendar",
    says: parts,
    emails: () => [
      mixed("text/calendar; charset=utf-8", "", "BEGIN:VEVENT", "SUMMARY:Whalebone fair", "END:VEVENT"),
      {},
    ],
    asked: [[{ body: "whalebone" }, [0]]],
  },
  {
    id: "text-attachment",
    says: parts,
    emails: () => [
      mixed(
        "text/csv; charset=utf-8",
        attached,
        "Content-Transfer-Encoding: base64",
        "",
        base64("id,thing\n7,whalebone"),
      ),
      mixed("application/octet-stream", attached, "Content-Transfer-Encoding: base64", "", base64("nothing here")),
    ],
    asked: [[{ body: "whalebone" }, [0]]],
  },
  {
    id: "text-attachment-charset",
    says: parts,
    emails: () => [
      mixed("text/plain; charset=koi8-r", attached, "Content-Transfer-Encoding: base64", "", "8NLJ18XUIM3J0g=="),
      {},
    ],
    asked: [[{ body: "привет" }, [0]]],
  },
  {
    id: "html-attachment",
    says: parts,
    emails: () => [mixed("text/html", attached, "", "<p class=classy>a whale<b>bone</b></p>"), {}],
    asked: [
      [{ body: "whalebone" }, [0]],
      [{ body: "classy" }, []],
    ],
  },
  {
    id: "late-phrase",
    says: phrase,
    emails: () => [
      { text: `${numbered(400, (n) => `line ${n} mentions the usual things again`)}\njump over the lazy dog` },
      { text: numbered(400, (n) => `line ${n} mentions the usual things again`) },
    ],
    asked: [
      [{ body: '"over the lazy"' }, [0]],
      [{ body: '"399 mentions the usual"' }, [0, 1]],
      [{ body: '"lazy the over"' }, []],
    ],
  },
  {
    id: "many-addresses",
    says: body,
    emails: () => [{ text: numbered(300, (n) => `user${n}@corp.example logged in`) }, {}],
    asked: [
      [{ body: "user0@corp.example" }, [0]],
      [{ body: "user299@corp.example" }, [0]],
      [{ body: "user300@corp.example" }, []],
    ],
  },
  {
    id: "many-recipients",
    says: "to: Looks for the text in the To header field of the message.",
    emails: () => [{ to: Array.from({ length: 300 }, (_, n) => `p${n}@corp.example`).join(",\r\n ") }, {}],
    asked: [
      [{ to: "p0@corp.example" }, [0]],
      [{ to: "p299@corp.example" }, [0]],
      [{ to: "p300@corp.example" }, []],
    ],
  },
  {
    id: "long-phrases",
    says: phrase,
    emails: () => [{ text: numbered(4_500, (n) => `whale${n} bone${n} fish${n} tail${n}`) }, {}],
    asked: [
      [{ body: '"tail9 whale10 bone10"' }, [0]],
      [{ body: '"bone4250 fish4250 tail4250 whale4251"' }, [0]],
      [{ body: '"fish4499 tail4499"' }, [0]],
      [{ body: '"fish4499 tail4498"' }, []],
    ],
  },
  {
    id: "long-both-ends",
    says: tokens,
    emails: () => [
      { text: `whalebone ${numbered(6_000, (n) => `filler${n} between the${n % 50} ends${n}`)} narwhal` },
      { text: "whalebone alone" },
      { text: "narwhal alone" },
    ],
    asked: [
      [{ body: "whalebone narwhal" }, [0]],
      [{ operator: "AND", conditions: [{ body: "narwhal" }, { body: "whalebone" }] }, [0]],
      [{ operator: "OR", conditions: [{ body: "narwhal" }, { body: "filler5999" }] }, [0, 2]],
    ],
  },
  {
    id: "long-not",
    says: not,
    emails: () => [
      { text: `whalebone ${numbered(6_000, (n) => `filler${n} between the${n % 50} ends${n}`)} narwhal` },
      { text: "whalebone alone" },
    ],
    asked: [
      [
        {
          operator: "AND",
          conditions: [{ body: "whalebone" }, { operator: "NOT", conditions: [{ body: "narwhal" }] }],
        },
        [1],
      ],
      [{ operator: "NOT", conditions: [{ body: "narwhal" }] }, [1]],
    ],
  },
  {
    id: "long-words",
    says: body,
    emails: () => [{ text: `a ${"x".repeat(400)}1 and ${"x".repeat(400)}2` }, { text: "x".repeat(400) }],
    asked: [
      [{ body: `${"x".repeat(400)}2` }, [0]],
      [{ body: `${"x".repeat(400)}3` }, []],
    ],
  },
  {
    id: "distinct-words",
    says: body,
    emails: () => [{ text: numbered(60_000, (n) => `q${n}z`) }, {}],
    asked: [
      [{ body: "q0z" }, [0]],
      [{ body: "q31000z" }, [0]],
      [{ body: "q59999z" }, [0]],
      [{ body: "q60000z" }, []],
    ],
  },
];

export const everywhereFilters = defineTests(
  mailGroup("4.4.1", "Email/query: all of a message"),
  table<Row>(rows, ({ id, says, emails, asked }) => ({
    id: `search-everywhere-${id}`,
    level: "SHOULD",
    says,
    run: async (t) => {
      const made = await t.emails([...emails()]);
      for (const [filter, expected] of asked) {
        // A server may build its index a moment later.
        await t.eventually(async () => {
          const { ids } = await query(t, filter);
          sameMembers(
            ids,
            expected.map((index) => made[index]!.id),
            `ids for ${JSON.stringify(filter).slice(0, 100)}`,
          );
        }, 8000);
      }
    },
  })),
);
