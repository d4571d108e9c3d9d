import { expect, test } from "vitest";
import { classify } from "../../src/mail/feedback/classify.ts";
import type { Feedback } from "../../src/mail/feedback/feedback.ts";
import { summarise } from "../../src/mime/summary.ts";
import { moreSamples } from "./more-samples.ts";
import { challengeSamples, otherSamples, wordSamples } from "./plain-samples.ts";
import { dsn, plain, type Sample } from "./shapes.ts";
import { complaintSamples, standardSamples } from "./standard-samples.ts";

const samples = [
  ...standardSamples,
  ...complaintSamples,
  ...wordSamples,
  ...challengeSamples,
  ...otherSamples,
  ...moreSamples,
];

const read = ({ message, mailFrom = "" }: Sample) => classify({ message, summary: summarise(message), mailFrom });

function kindOf(feedback: Feedback | undefined): Sample["expected"] {
  if (feedback === undefined) return "none";
  if (feedback.kind !== "delivery") return feedback.kind;
  const severities = feedback.recipients.map(({ severity }) => severity);
  return severities.includes("hard") ? "hard" : severities.includes("soft") ? "soft" : "good";
}

test.each(samples.map((sample) => [sample.name, sample] as const))("%s", (_, sample) => {
  const feedback = read(sample);
  expect(kindOf(feedback), JSON.stringify(feedback)).toBe(sample.expected);
  if (sample.about === undefined || sample.about.length === 0) return;
  const named = feedback?.kind === "delivery" ? feedback.recipients.flatMap(({ addresses }) => addresses) : [];
  const all = feedback?.kind === "complaint" ? feedback.addresses : named;
  expect(all).toEqual(expect.arrayContaining(sample.about));
  // Nobody else, such as the other person whom the reported mail names.
  expect(all).not.toContain("carol@elsewhere.test");
});

test("the corpus has 80 reports and more", () => {
  expect(samples.filter(({ expected }) => expected !== "none").length).toBeGreaterThanOrEqual(80);
});

test("each recipient of a report gets a verdict of its own", () => {
  const sample = wordSamples.find(({ name }) => name.startsWith("Two addresses"))!;
  expect(read(sample)).toMatchObject({
    recipients: [
      { addresses: ["bob@far.test"], severity: "soft" },
      { addresses: ["eve@far.test"], severity: "hard", smtpReply: "550 5.1.1 no such user" },
    ],
  });
});

test("hostile texts are read in time", () => {
  const units = ["a", "a@", "a@b.co ", ".a", "-", "\n", " ", "mailbox ", "550 ", "5.1.", "sender address ", "<"];
  for (const unit of units) {
    const text = unit.repeat(200_000);
    const made = {
      subject: "failure notice",
      text,
      fields: `X-Failed-Recipients: ${text.slice(0, 9000).replaceAll("\n", "")}\n`,
    };
    for (const type of ["text/plain", "text/html"]) {
      const message = plain({ ...made, type });
      const summary = summarise(message);
      const before = process.cpuUsage();
      classify({ message, summary, mailFrom: "" });
      expect(process.cpuUsage(before).user / 1000, `${JSON.stringify(unit)} in ${type}`).toBeLessThan(500);
    }
  }
});

test("of a report about very many recipients, the first are read", () => {
  const told = Array.from({ length: 5000 }, (_, at) => ({ to: `u${at}@far.test`, status: "5.1.1" }));
  const feedback = read({ name: "", expected: "hard", message: dsn({ told }) });
  expect(feedback).toMatchObject({ kind: "delivery", isStandard: true });
});
