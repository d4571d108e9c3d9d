import { expect, test } from "vitest";
import { prepareMessage } from "../deliver/prepare.ts";
import { answerable } from "./vacation-rules.ts";

const plain = ["From: Eve <eve@far.test>", "To: Ada <Ada@Here.test>, bob@here.test", "Message-ID: <m1@far.test>"];
const judge = (fields: string[], mailFrom = "eve@far.test") =>
  answerable(prepareMessage(Buffer.from(`${fields.join("\r\n")}\r\n\r\nhello\r\n`)), mailFrom);

test("a message from a person is answerable", () => {
  expect(judge([...plain, "Subject: Hi", "Cc: c@x.test", "References: <a@x> <b@x>"], "Eve@Far.test")).toEqual({
    sender: "eve@far.test",
    named: ["ada@here.test", "bob@here.test", "c@x.test"],
    subject: "Hi",
    messageId: "m1@far.test",
    references: ["a@x", "b@x", "m1@far.test"],
    waivesTls: false,
  });
  expect(judge([...plain, "Auto-Submitted: No", "Precedence: first-class"])).toBeDefined();
  expect(judge(plain.slice(0, 2))).toMatchObject({ messageId: undefined, references: [] });
});

test("several References fields count as one", () => {
  expect(judge([...plain, "References: <a@x>", "References: <b@x>"])!.references).toEqual([
    "a@x",
    "b@x",
    "m1@far.test",
  ]);
});

test("of a long chain of references, the first and the last are kept", () => {
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
  "Precedence: auto_reply",
  "Precedence: auto-reply",
  "X-Precedence: bulk",
  "Auto-Submitted: auto-notified; owner-email=x",
  "Auto-Submitted: nothing",
  "X-Autoreply: yes",
  "X-Auto-Reply: 1",
  "X-Autorespond: Out of office",
  "X-Autoresponder: x",
  "X-Mail-Autoreply: x",
  "X-Auto-Response-Suppress: All",
  "X-Auto-Response-Suppress: AutoReply",
  "Delivered-To: Autoresponder",
  "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
  "List-Software: x",
  "Mailing-List: contact x-help@far.test; run by ezmlm",
  "X-Mailing-List: <l@far.test>",
  "X-BeenThere: l@far.test",
  "X-Loop: l@far.test",
  "X-Failed-Recipients: x@far.test",
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
  "dev-bounces+ann=posthorn.test@lists.example",
  "dev-return-123-ann=posthorn.test@lists.example",
  "dev-return-123-@lists.example",
  "list-owner+x@far.test",
  "msprvs1=17999abcdef=bounces-1234@far.test",
  "prvs=0123456789=list-bounces@far.test",
  "btv1==0123456789a==noreply@far.test",
  "SRS0=HHHH=TT=far.test=list-request@forward.test",
  "ann+caf_=bob=here.test@far.test",
  "bounces+1234-ab12-ann=here.test@em.far.test",
  "autoreply@far.test",
  "auto-responder@far.test",
  "sentto-1-2-3@returns.far.test",
  "ne-pas-repondre@far.test",
  "nicht-antworten@far.test",
])("from %j: no answer", (mailFrom) => {
  expect(judge(plain, mailFrom)).toBeUndefined();
});

test.each(["eve.owner@far.test", "bouncer@far.test", "noreplying@far.test", "requestor@far.test", "nora@far.test"])(
  "from %j: a person",
  (mailFrom) => {
    expect(judge(plain, mailFrom)).toBeDefined();
  },
);

test.each([
  ["prvs=0123456789=eve@far.test", "eve@far.test"],
  ["PRVS=12345abcde=Eve@Far.test", "eve@far.test"],
  ["prvs=eve/0123456789@far.test", "eve@far.test"],
  ["btv1==0123456789a==eve@far.test", "eve@far.test"],
  ["SRS0=HHHH=TT=far.test=eve@forward.test", "eve@far.test"],
  ["SRS0+HHHH=TT=far.test=eve@forward.test", "eve@far.test"],
  ["SRS1=HHHH=forward.test==HHHH=TT=far.test=eve@other.test", "eve@far.test"],
  ["prvs=0123456789=SRS0=HHHH=TT=far.test=eve@forward.test", "eve@far.test"],
  ["eve+tag@far.test", "eve+tag@far.test"],
  ["eve=x@far.test", "eve=x@far.test"],
])("%s is counted as %s, whatever the tag of the day", (mailFrom, sender) => {
  expect(judge(plain, mailFrom)).toMatchObject({ sender });
});

test.each([
  "Auto-Submitted: no (really)",
  "X-Autoreply: no",
  "X-Auto-Response-Suppress: None",
  "Feedback-ID: 1:x:AmazonSES",
  "X-Auto-Response-Suppress: DR, RN, NRN",
  "Precedence: normal",
])("%s: an answer", (field) => {
  expect(judge([field, ...plain])).toBeDefined();
});

test("a message whose header alone names a machine is not answered", () => {
  expect(judge(["From: no-reply@far.test", ...plain.slice(1)])).toBeUndefined();
});
