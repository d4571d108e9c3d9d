import { simpleParser } from "mailparser";
import { describe, expect, test } from "vitest";
import { bodyParts } from "../../src/mime/body.ts";
import { bodyValue, rawBody } from "../../src/mime/decode.ts";
import type { EmailAddress } from "../../src/mime/headers.ts";
import { leaves, type Part } from "../../src/mime/structure.ts";
import { type MessageSummary, summarise } from "../../src/mime/summary.ts";
import { addressShapes } from "./shapes/addresses.ts";
import { attachmentShapes } from "./shapes/attachments.ts";
import { brokenShapes } from "./shapes/broken.ts";
import { charsetShapes } from "./shapes/charsets.ts";
import { clientShapes } from "./shapes/clients.ts";
import { encodingShapes } from "./shapes/encodings.ts";
import { headerShapes } from "./shapes/headers.ts";
import { reportShapes } from "./shapes/reports.ts";
import type { Compared, Shape, Wanted } from "./shapes/shape.ts";
import { versionShapes } from "./shapes/versions.ts";

const themes: Record<string, Shape[]> = {
  addresses: addressShapes,
  attachments: attachmentShapes,
  broken: brokenShapes,
  charsets: charsetShapes,
  clients: clientShapes,
  encodings: encodingShapes,
  headers: headerShapes,
  reports: reportShapes,
  versions: versionShapes,
};

const address = ({ name, email }: EmailAddress): string => (name === null ? email : `${name} <${email}>`);
const addresses = (list: EmailAddress[] | null): string | null => list?.map(address).join(" | ") ?? null;
const ids = (parts: Part[]): string => parts.map((part) => part.partId).join(" ");

function structure({ type, charset, name, disposition, cid, parts }: Part): string {
  const set = charset !== null && charset !== "us-ascii" ? `;${charset}` : "";
  const own = `${type}${set}${name === null ? "" : `"${name}"`}`;
  const content = `${own}${disposition === null ? "" : `@${disposition}`}${cid === null ? "" : `#${cid}`}`;
  return parts === null ? content : `${content}(${parts.map(structure).join(", ")})`;
}

/** What was read from the message, reduced to what the expectation names. */
function seen(bytes: Buffer, summary: MessageSummary, want: Wanted): Wanted {
  const parts = leaves(summary.structure);
  const values = Object.keys(want.values ?? {}).map((id) => {
    const part = parts.find((one) => one.partId === id);
    return [id, part === undefined ? undefined : bodyValue(rawBody(bytes, part), part, 0)] as const;
  });
  const lists = bodyParts(summary.structure);
  const all = {
    ...summary,
    from: addresses(summary.from),
    to: addresses(summary.to),
    cc: addresses(summary.cc),
    sender: addresses(summary.sender),
    replyTo: addresses(summary.replyTo),
    structure: structure(summary.structure),
    textBody: ids(lists.textBody),
    htmlBody: ids(lists.htmlBody),
    attachments: ids(lists.attachments),
    values: Object.fromEntries(values.map(([id, found]) => [id, found?.value])),
    problems: values.flatMap(([id, found]) => (found?.isEncodingProblem ? [id] : [])).join(" "),
  };
  return Object.fromEntries(
    Object.entries(all).filter(([key]) => key in want || (key === "problems" && want.values !== undefined)),
  );
}

const plain = (text: string): string => text.replace(/[\s\0]+/g, " ").trim();

/** The part of the expectation that another parser can check. */
function comparable(want: Wanted, summary: MessageSummary): Partial<Record<Compared, string | null>> {
  const { textBody } = bodyParts(summary.structure);
  const texts = textBody.map((part) => (part.type === "text/plain" ? want.values?.[part.partId!] : undefined));
  const known = texts.length > 0 && texts.every((text) => text !== undefined);
  return {
    ...("subject" in want && { subject: want.subject ?? "" }),
    ...("from" in want && { from: want.from }),
    ...("to" in want && { to: want.to }),
    ...("cc" in want && { cc: want.cc }),
    ...(known && { text: plain(texts.join("\n")) }),
  };
}

async function secondOpinion(bytes: Buffer): Promise<Record<Compared, string>> {
  const parsed = await simpleParser(bytes, { skipHtmlToText: true, skipTextToHtml: true });
  const list = (field: typeof parsed.to): string =>
    [field ?? []]
      .flat()
      .flatMap((one) => one.value)
      .flatMap((one) => one.group ?? [one])
      .map((one) => address({ name: one.name || null, email: one.address ?? "" }))
      .join(" | ");
  return {
    subject: parsed.subject ?? "",
    from: list(parsed.from),
    to: list(parsed.to),
    cc: list(parsed.cc),
    text: plain(parsed.text ?? ""),
  };
}

for (const [theme, shapes] of Object.entries(themes)) {
  describe(theme, () => {
    test.each(shapes)("$name", async ({ raw, want, unlike = {} }) => {
      const bytes = Buffer.from(raw, "latin1");
      expect(bytes.toString("latin1")).toBe(raw);
      const summary = summarise(bytes);
      expect(seen(bytes, summary, want)).toEqual({ ...(want.values && { problems: "" }), ...want });
      const other = await secondOpinion(bytes);
      for (const [key, value] of Object.entries(comparable(want, summary)) as [Compared, string][]) {
        // An opt-out that is no longer needed must be removed.
        if (unlike[key] === undefined) expect({ [key]: other[key] }).toEqual({ [key]: value });
        else expect({ [key]: other[key] }).not.toEqual({ [key]: value });
      }
    });
  });
}

test("there are at least a hundred shapes, each with a unique name", () => {
  const names = Object.values(themes).flatMap((shapes) => shapes.map((shape) => shape.name));
  expect(names.length).toBeGreaterThanOrEqual(100);
  expect(new Set(names).size).toBe(names.length);
});
