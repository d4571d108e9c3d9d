import { describe, expect, test } from "vitest";
import { formatAddress, isAddress, parseAddresses } from "../inbox/composer/addresses.ts";
import { type Answered, envelopeOf } from "../inbox/composer/answer.ts";
import { moments } from "../inbox/composer/later.ts";
import { promisedFile } from "../inbox/composer/reminder.ts";
import { reasonOf, summaryOf } from "../inbox/delivery/summary.ts";
import type { EmailSubmission, Identity } from "../shared/jmap/types.ts";

const who = (email: string, name: string | null = null) => ({ name, email });
const identity = (id: string, email: string): Identity => ({
  ...{ id, name: "", email, replyTo: null, bcc: null },
  ...{ textSignature: "", htmlSignature: "", mayDelete: true },
});
const identities = [identity("i1", "ann@here.test"), identity("i2", "sales@here.test")];
const mail = (more: Partial<Answered> = {}): Answered => ({
  id: "e1",
  messageId: ["m1@there.test"],
  inReplyTo: null,
  references: ["m0@there.test"],
  from: [who("bob@there.test", "Bob")],
  to: [who("ann@here.test"), who("eve@far.test")],
  cc: [who("joe@far.test")],
  bcc: null,
  replyTo: null,
  subject: "Lunch",
  sentAt: null,
  receivedAt: "2026-12-01T00:00:00Z",
  ...more,
});
const answer = (kind: "reply" | "replyAll" | "forward", more: Partial<Answered> = {}, deliveredTo?: string) => {
  const { to, cc, identity: from, ...rest } = envelopeOf(kind, mail(more), identities, deliveredTo);
  return { to: to.map(({ email }) => email), cc: cc.map(({ email }) => email), from: from?.email, ...rest };
};

describe("an answer", () => {
  test("goes to the author, from the address that was written to", () => {
    expect(answer("reply")).toMatchObject({
      to: ["bob@there.test"],
      cc: [],
      from: "ann@here.test",
      subject: "Re: Lunch",
    });
    expect(answer("reply", { to: [who("Sales@here.test")] }).from).toBe("sales@here.test");
    expect(answer("reply", { to: [who("list@far.test")] }, "sales@here.test").from).toBe("sales@here.test");
    expect(answer("reply", { to: [] }).from).toBe("ann@here.test");
  });

  test("goes where Reply-To says", () => {
    expect(answer("reply", { replyTo: [who("list@far.test")] }).to).toEqual(["list@far.test"]);
    expect(answer("replyAll", { replyTo: [who("list@far.test")] })).toMatchObject({
      to: ["list@far.test"],
      cc: ["eve@far.test", "joe@far.test"],
    });
  });

  test("to all goes to everybody else once, not to oneself", () => {
    const more = { to: [who("ann@here.test"), who("Eve@far.test")], cc: [who("eve@far.test"), who("bob@there.test")] };
    expect(answer("replyAll", more)).toMatchObject({ to: ["bob@there.test"], cc: ["Eve@far.test"] });
  });

  test("to one's own mail goes to the same people again", () => {
    const own = { from: [who("sales@here.test")], to: [who("bob@there.test")], cc: [who("eve@far.test")] };
    expect(answer("reply", own)).toMatchObject({ to: ["bob@there.test"], cc: [], from: "sales@here.test" });
    expect(answer("replyAll", own)).toMatchObject({ to: ["bob@there.test"], cc: ["eve@far.test"] });
    const note = { from: [who("ann@here.test")], to: [who("ann@here.test")], cc: null };
    expect(answer("reply", note).to).toEqual(["ann@here.test"]);
  });

  test("is in the thread, with one Re: in whatever language", () => {
    expect(answer("reply")).toMatchObject({
      inReplyTo: ["m1@there.test"],
      references: ["m0@there.test", "m1@there.test"],
    });
    expect(answer("reply", { references: null, inReplyTo: ["m0@there.test"] }).references).toHaveLength(2);
    for (const subject of ["Re: Lunch", "AW: Re: Lunch", "RE[2]: Lunch", "Fwd: Lunch"]) {
      expect(answer("reply", { subject }).subject).toBe("Re: Lunch");
    }
    const many = Array.from({ length: 90 }, (_, at) => `m${at}@there.test`);
    const { references } = answer("reply", { references: many });
    expect([references!.length, references![0], references!.at(-1)]).toEqual([40, "m0@there.test", "m1@there.test"]);
  });

  test("passed on it goes to nobody yet", () => {
    expect(answer("forward")).toMatchObject({ to: [], cc: [], inReplyTo: null, subject: "Fwd: Lunch" });
  });
});

test("addresses are read as people write and paste them", () => {
  const text = `Ann Lee <ann@here.test>, "Lee, Bob" <bob@there.test>; eve@far.test\njoe@far.test, nonsense, Zoë <zoë@bücher.test>`;
  const { addresses, faults } = parseAddresses(text);
  expect(addresses).toEqual([
    who("ann@here.test", "Ann Lee"),
    who("bob@there.test", "Lee, Bob"),
    who("eve@far.test"),
    who("joe@far.test"),
    who("zoë@bücher.test", "Zoë"),
  ]);
  expect(faults).toEqual(["nonsense"]);
  expect(parseAddresses("a@b.test c@d.test").addresses).toHaveLength(2);
  expect(parseAddresses(addresses.map(formatAddress).join(", ")).addresses).toEqual(addresses);
});

test.each([
  "a@b",
  "@b.test",
  "a@",
  "a b@c.test",
  "a@b..test",
  ".a@b.test",
  "a@-b.test",
  "a@b.test.",
  `${"a".repeat(65)}@b.test`,
  "a@1.2",
])("%s is no address", (text) => expect(isAddress(text)).toBe(false));

test("a promised file is noticed, but not in what is quoted", () => {
  expect(promisedFile("x", "see the attached plan")).toBe("attached");
  expect(promisedFile("x", "Im Anhang findest du")).toBe("Anhang");
  expect(promisedFile("x", "I'm attaching it")).toBe("attaching");
  expect(promisedFile("x", "> see the attached plan\nThanks")).toBeUndefined();
  expect(promisedFile("Re: attachment", "Thanks")).toBeUndefined();
  expect(promisedFile("x", "unattached anhangen")).toBeUndefined();
});

test("send later offers moments that are to come", () => {
  const friday = new Date(2026, 11, 4, 19);
  expect(moments(friday).map(({ key }) => key)).toEqual(["tomorrow", "monday"]);
  const sunday = new Date(2026, 11, 6, 9);
  expect(moments(sunday).map(({ key, at }) => [key, at.getDay(), at.getHours()])).toEqual([
    ["tonight", 0, 18],
    ["tomorrow", 1, 8],
  ]);
});

describe("what became of a sent mail", () => {
  const of = (more: Partial<EmailSubmission>, delivered: Record<string, string> = {}) => {
    const status = Object.entries(delivered).map(([address, one]) => [
      address,
      { delivered: one, displayed: "unknown", smtpReply: one === "no" ? "550 5.1.1 nobody\nhere" : "250 ok" },
    ]);
    const submission = { undoStatus: "final", sendAt: "2026-12-01T00:00:00Z", ...more };
    return summaryOf(
      { ...submission, deliveryStatus: Object.fromEntries(status) } as EmailSubmission,
      Date.parse("2026-12-01T00:00:10Z"),
    );
  };

  test("is the worst that happened to any recipient", () => {
    expect(of({}, { "a@x.test": "yes" }).state).toBe("delivered");
    expect(of({}, { "a@x.test": "yes", "b@x.test": "unknown" }).state).toBe("handedOver");
    expect(of({}, { "a@x.test": "unknown", "b@x.test": "queued" })).toMatchObject({ state: "queued", isOpen: true });
    const failed = of({}, { "a@x.test": "no", "b@x.test": "yes" });
    expect(failed).toMatchObject({ state: "failed", failed: 1, isOpen: false });
    expect(failed.recipients[0]!.reply).toBe("550 5.1.1 nobody here");
  });

  test("is explained by the status code of who refused it", () => {
    expect(reasonOf("550 5.1.1 nobody here")).toBe("noAddress");
    expect(reasonOf("550 5.1.2 no mail server of far.test")).toBe("noServer");
    expect(reasonOf("452 4.2.2 over quota")).toBe("full");
    expect(reasonOf("552 5.3.4 too big")).toBe("tooLarge");
    expect(reasonOf("550 5.7.1 go away")).toBe("unwanted");
    expect(reasonOf("550 no")).toBeUndefined();
  });

  test("is held back, about to leave, or taken back", () => {
    expect(of({ undoStatus: "pending", sendAt: "2026-12-02T00:00:00Z" })).toMatchObject({
      state: "scheduled",
      isOpen: false,
    });
    expect(of({ undoStatus: "pending", sendAt: "2026-12-01T00:00:15Z" })).toMatchObject({
      state: "queued",
      isOpen: true,
    });
    expect(of({ undoStatus: "canceled" })).toMatchObject({ state: "canceled", isOpen: false });
  });
});
