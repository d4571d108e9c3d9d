import { expect, test } from "vitest";
import { Try } from "./tries.ts";

const said = (...lines: [who: "C" | "S", text: string][]) => {
  const one = new Try(new Date(0), { name: "mx.test", address: "192.0.2.1" });
  for (const [who, text] of lines) one.said(who, text);
  return one;
};

test("what follows AUTH is left out, until the server has answered", () => {
  const { transcript } = said(
    ["C", "AUTH PLAIN c2VjcmV0"],
    ["S", "535 5.7.8 no"],
    ["C", "AUTH LOGIN"],
    ["S", "334 VXNlcm5hbWU6"],
    ["C", "YWRh"],
    ["S", "334 UGFzc3dvcmQ6"],
    ["C", "c2VjcmV0"],
    ["S", "235 2.7.0 ok"],
    ["C", "MAIL FROM:<a@b.test>"],
  );
  expect(transcript.split("\n")).toEqual([
    "C: AUTH PLAIN (not shown)",
    "S: 535 5.7.8 no",
    "C: AUTH LOGIN (not shown)",
    "S: 334 VXNlcm5hbWU6",
    "C: (not shown)",
    "S: 334 UGFzc3dvcmQ6",
    "C: (not shown)",
    "S: 235 2.7.0 ok",
    "C: MAIL FROM:<a@b.test>",
  ]);
});

test("is short, and holds nothing that the database cannot", () => {
  const one = said(...Array.from({ length: 300 }, () => ["S", `250 ${"x".repeat(2000)}\0\ud800`] as ["S", string]));
  expect(one.transcript.length).toBeLessThan(17_000);
  expect(one.transcript).toMatch(/\n\* the rest is left out$/);
  expect(said(["S", "250 a\0b\ud800"]).transcript).toBe("S: 250 a b\ufffd");
});

test("ends with the worst answer, which is noted when no server gave it", () => {
  const one = said(["S", "250 ok"]);
  one.ended([
    { kind: "relayed", smtpReply: "250 ok" },
    { kind: "deferred", smtpReply: "451 4.4.2 connection closed" },
  ]);
  expect(one).toMatchObject({ outcome: "deferred", reply: "451 4.4.2 connection closed" });
  expect(one.transcript).toBe("S: 250 ok\n* 451 4.4.2 connection closed");
  const refused = said(["S", "550 5.1.1 unknown"]);
  refused.ended([{ kind: "failed", smtpReply: "550 5.1.1 unknown" }]);
  expect(refused.transcript).toBe("S: 550 5.1.1 unknown");
});

test("begins with the opening of a connection that others have used", () => {
  const opening = said(["S", "220 hello"], ["C", "EHLO me.test"], ["S", "250 me"]).lines;
  const next = new Try(new Date(0), { name: "mx.test", address: "192.0.2.1" });
  next.continues({ opening, used: 1 });
  next.said("C", "RSET");
  expect(next.transcript).toBe(
    "S: 220 hello\nC: EHLO me.test\nS: 250 me\n* the same connection, after 1 other\nC: RSET",
  );
});
