import { expect, test } from "vitest";
import { submissionParameters } from "./submission-parameters.ts";
import { factsOf, peer } from "./testing.ts";

const { ofMail, ofRcpt } = submissionParameters({ clock: { now: () => new Date("2026-01-01T00:00:00Z") } });
const refused = { kind: "refuse", code: 501, status: "5.5.4" };

test("the parameters of MAIL are those of EmailSubmission, and SIZE and AUTH", () => {
  const ask = (parameters: object) =>
    ofMail(peer(), factsOf.mail({ path: { address: "ada@here.test", parameters: { ...parameters } } }));
  const good = [{}, { SIZE: "1", AUTH: "<>", BODY: "8BITMIME", SMTPUTF8: true, RET: "FULL", ENVID: "x" }];
  for (const parameters of [...good, { HOLDFOR: "60" }, { HOLDUNTIL: "2026-01-02T00:00:00Z" }]) {
    expect(ask(parameters)).toMatchObject({ kind: "pass" });
  }
  const both = { HOLDFOR: "60", HOLDUNTIL: "2026-01-02T00:00:00Z" };
  for (const parameters of [both, { HOLDFOR: true }, { HOLDFOR: "9999999" }, { HOLDUNTIL: "2027-01-01T00:00:00Z" }]) {
    expect(ask(parameters), JSON.stringify(parameters)).toMatchObject(refused);
  }
});

test("the parameters of RCPT are those of DSN", () => {
  const ask = (parameters: object) =>
    ofRcpt(peer(), factsOf.rcpt({ path: { address: "eve@far.test", parameters: { ...parameters } } }));
  expect(ask({ NOTIFY: "SUCCESS,DELAY", ORCPT: "rfc822;a@b.test" })).toMatchObject({ kind: "pass" });
  expect(ask({ NOTIFY: "NEVER,SUCCESS" })).toMatchObject(refused);
});
