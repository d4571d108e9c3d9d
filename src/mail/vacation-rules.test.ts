import { expect, test } from "vitest";
import { mayAnswer } from "./vacation-rules.ts";

const to = { name: "To", value: " Ada <Ada@Here.test>, x@far.test" };

test.each([
  ["plain mail", [to], "eve@far.test", true],
  ["mail from a person", [to, { name: "Auto-Submitted", value: " no" }], "eve@far.test", true],
  ["a named copy", [{ name: "Cc", value: " ada@here.test" }], "eve@far.test", true],
  ["an automatic answer", [to, { name: "auto-submitted", value: " auto-replied" }], "eve@far.test", false],
  ["a list's mail", [to, { name: "List-Id", value: " <l.far.test>" }], "eve@far.test", false],
  ["bulk mail", [to, { name: "Precedence", value: " Bulk" }], "eve@far.test", false],
  ["mail that wants no answer", [to, { name: "X-Auto-Response-Suppress", value: " DR, OOF" }], "eve@far.test", false],
  ["a blind copy", [{ name: "To", value: " undisclosed-recipients:;" }], "eve@far.test", false],
  ["a report", [to], "", false],
  ["one's own mail", [to], "ADA@here.test", false],
  ["a daemon", [to], "MAILER-DAEMON@far.test", false],
  ["a list's owner", [to], "owner-list@far.test", false],
  ["a list's robot", [to], "list-request@far.test", false],
  ["nobody's mail", [to], "no-reply+123@far.test", false],
])("%s", (_, fields, sender, may) => {
  expect(mayAnswer(fields, sender, "ada@here.test")).toBe(may);
});
