import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { type OwnReply, repliesIn } from "./support/refusals.ts";

/** docs/smtp.md, "What each refusal means", against the replies that the sources have. */
const page = readFileSync(new URL("../docs/smtp.md", import.meta.url), "utf8");
const [, section = ""] = /\n## What each refusal means\n([\s\S]*?)\n## /.exec(page) ?? [];
const [atDoors = "", ofAttempts = ""] = section.split("\n**Of our own attempts**");

const documented = (text: string) =>
  [...text.matchAll(/^\| ([45]\d\d \S+) \| (.*?) \| (.+) \|$/gm)].map(([, code, said]) => `${code} ${said}`);
const given = (replies: OwnReply[]) => [...new Set(replies.map(({ code, text }) => `${code} ${text}`))];

test("the replies of the doors for mail are found in the sources", () => {
  const found = given(repliesIn("smtp/inbound"));
  expect(found).toContain("550 5.1.1 no such address here: check how it is written");
  expect(found).toContain("421 4.3.2 too many connections, try again later");
  expect(found).toContain("552 5.3.4 …");
  expect(found.length).toBeGreaterThan(50);
});

test.each([
  ["at the doors", atDoors, ["smtp/inbound"]],
  ["of attempts to send", ofAttempts, ["smtp/outbound", "mail", "store/queues"]],
])("each reply %s is in the table, with its text, and no other", (_, text, folders) => {
  expect(documented(text).toSorted()).toEqual([...new Set(folders.flatMap((one) => given(repliesIn(one))))].toSorted());
});
