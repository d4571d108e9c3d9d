import { expect, test } from "vitest";
import { Try } from "./tries.ts";

const said = (...lines: [who: "client" | "server", text: string][]) => {
  const one = new Try(new Date(0), { name: "mx.test", address: "192.0.2.1" });
  for (const [tnx, text] of lines) one.logger.debug({ tnx }, text);
  return one;
};

test("what follows AUTH is left out, until the server has answered", () => {
  const { transcript } = said(
    ["client", "AUTH PLAIN c2VjcmV0"],
    ["server", "535 5.7.8 no"],
    ["client", "AUTH LOGIN"],
    ["server", "334 VXNlcm5hbWU6"],
    ["client", "YWRh"],
    ["server", "334 UGFzc3dvcmQ6"],
    ["client", "c2VjcmV0"],
    ["server", "235 2.7.0 ok"],
    ["client", "MAIL FROM:<a@b.test>"],
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
  const one = said(
    ...Array.from({ length: 300 }, () => ["server", `250 ${"x".repeat(2000)}\0\ud800`] as ["server", string]),
  );
  expect(one.transcript.length).toBeLessThan(17_000);
  expect(one.transcript).toMatch(/\n\* the rest is left out$/);
  expect(said(["server", "250 a\0b\ud800"]).transcript).toBe("S: 250 a b\ufffd");
});

test("ends with the worst answer, which is noted when no server gave it", () => {
  const one = said(["server", "250 ok"]);
  one.ended([
    { kind: "relayed", smtpReply: "250 ok" },
    { kind: "deferred", smtpReply: "451 4.4.2 connection closed" },
  ]);
  expect(one).toMatchObject({ outcome: "deferred", reply: "451 4.4.2 connection closed" });
  expect(one.transcript).toBe("S: 250 ok\n* 451 4.4.2 connection closed");
  const refused = said(["server", "550 5.1.1 unknown"]);
  refused.ended([{ kind: "failed", smtpReply: "550 5.1.1 unknown" }]);
  expect(refused.transcript).toBe("S: 550 5.1.1 unknown");
});
