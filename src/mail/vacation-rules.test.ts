import { expect, test } from "vitest";
import { prepareMessage } from "./prepare.ts";
import { answerable } from "./vacation-rules.ts";

const plain = ["From: Eve <eve@far.test>", "To: Ada <Ada@Here.test>, bob@here.test", "Message-ID: <m1@far.test>"];
const judge = (fields: string[], mailFrom = "eve@far.test") =>
  answerable(prepareMessage(Buffer.from(`${fields.join("\r\n")}\r\n\r\nhello\r\n`)), mailFrom);

test("a letter from a person", () => {
  expect(judge([...plain, "Subject: Hi", "Cc: c@x.test", "References: <a@x> <b@x>"], "Eve@Far.test")).toEqual({
    sender: "eve@far.test",
    named: ["ada@here.test", "bob@here.test", "c@x.test"],
    subject: "Hi",
    messageId: "m1@far.test",
    references: ["a@x", "b@x", "m1@far.test"],
  });
  expect(judge([...plain, "Auto-Submitted: No", "Precedence: first-class"])).toBeDefined();
  expect(judge(plain.slice(0, 2))).toMatchObject({ messageId: undefined, references: [] });
});

test("a long chain of references keeps its first and its last", () => {
  const chain = Array.from({ length: 100 }, (_, n) => `<r${n}@x>`).join(" ");
  const { references } = judge([...plain, `References: ${chain}`])!;
  expect([references.length, references[0], references[1], references.at(-1)]).toEqual([
    22,
    "r0@x",
    "r80@x",
    "m1@far.test",
  ]);
});

test.each([
  "Auto-Submitted: auto-generated",
  "Auto-Submitted: auto-replied (vacation)",
  "Precedence: bulk",
  "Precedence: List",
  "Precedence: junk",
  "List-Id: <l.far.test>",
  "List-Unsubscribe: <mailto:x@y.test>",
  "X-Auto-Response-Suppress: DR, OOF",
  "Content-Type: multipart/report; boundary=b",
  "Authentication-Results: mx.here.test; spf=pass; dmarc=fail",
  "Authentication-Results: mx.here.test; spf=fail smtp.mailfrom=far.test",
])("%s: no answer", (field) => {
  expect(judge([field, ...plain])).toBeUndefined();
});

test.each([
  "",
  "no-at",
  "a b@far.test",
  "MAILER-DAEMON@far.test",
  "owner-list@far.test",
  "list-owner@far.test",
  "list-request@far.test",
  "list-bounces@far.test",
  "bounce+ada=here.test@far.test",
  "bounces-123@far.test",
  "noreply@far.test",
  "no-reply@far.test",
  "shop.no-reply@far.test",
  "do_not_reply@far.test",
  "donotreply+1@far.test",
  "no-reply+123@far.test",
  "list-errors@far.test",
])("from %j: no answer", (mailFrom) => {
  expect(judge(plain, mailFrom)).toBeUndefined();
});

test.each(["eve.owner@far.test", "bouncer@far.test", "noreplying@far.test", "requestor@far.test", "nora@far.test"])(
  "from %j: a person",
  (mailFrom) => {
    expect(judge(plain, mailFrom)).toBeDefined();
  },
);

test("a header that says it is a machine, though the envelope does not: no answer", () => {
  expect(judge(["From: no-reply@far.test", ...plain.slice(1)])).toBeUndefined();
});
