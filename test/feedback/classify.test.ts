import { expect, test } from "vitest";
import { classify, type Feedback } from "../../src/mail/feedback/classify.ts";
import { summarise } from "../../src/mime/summary.ts";
import { challengeSamples, otherSamples, wordSamples } from "./plain-samples.ts";
import type { Sample } from "./shapes.ts";
import { complaintSamples, standardSamples } from "./standard-samples.ts";

const samples = [...standardSamples, ...complaintSamples, ...wordSamples, ...challengeSamples, ...otherSamples];

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
