import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { systemClock } from "../../src/base/clock.ts";
import { piecesOf } from "../../src/jmap/email/content.ts";
import { planContent, showContent } from "../../src/jmap/email/show.ts";
import type { JmapObject } from "../../src/jmap/standard/type.ts";
import { prepareMessage } from "../../src/mail/deliver/prepare.ts";
import type { Part } from "../../src/mime/structure.ts";
import { Blobs } from "../../src/store/blobs/blobs.ts";
import { DiskObjects } from "../../src/store/blobs/objects/disk.ts";

/** The cost to this process of preparing or showing a mail, beyond that of a mail of one line. */
export interface MailCost {
  cpuSeconds: number;
  peakMegabytes: number;
}

/** A program, run in a process of its own: `mail-cost.ts prepare|show FOLDER NAME…`; the mails are files in the folder. */
const [task, folder = "", ...names] = process.argv.slice(2);
const octets = { taken: 0, take() {}, release() {} };
const properties = "bodyStructure textBody htmlBody attachments bodyValues headers header:From:asAddresses".split(" ");
const blobs = new Blobs({
  objects: new DiskObjects({ folder: `${folder}/blobs`, clock: systemClock, random: randomBytes }),
  clock: systemClock,
  cacheBytes: 10_000_000,
});

function prepared(message: Buffer) {
  const { summary, header } = prepareMessage(message);
  return JSON.stringify({ structure: summary.structure, header: header?.toString("base64") ?? null });
}

async function show(message: Buffer, stored: string): Promise<JmapObject> {
  const { structure, header } = JSON.parse(stored) as { structure: Part; header: string | null };
  const blob = await blobs.put(message);
  const shown: JmapObject = {};
  const content = {
    ...{ sha256: blob.sha256, steps: [], structure, header: header === null ? null : Buffer.from(header, "base64") },
    bytes: piecesOf((start, end) => blobs.readObject(blob, start, end), message.length),
  };
  await showContent(shown, content, planContent(properties, { fetchAllBodyValues: true }), octets);
  return shown;
}

const trivial = Buffer.from("Subject: a\r\n\r\nb");
await show(trivial, prepared(trivial));
const mails = names.map((name) => readFileSync(`${folder}/${name}`));
const stored = task === "show" ? names.map((name) => readFileSync(`${folder}/${name}.json`, "utf8")) : [];
const peak = () => process.resourceUsage().maxRSS / 1e3;
const before = peak();
const start = process.cpuUsage();
const done: (string | JmapObject)[] = [];
for (const [at, mail] of mails.entries()) done.push(task === "show" ? await show(mail, stored[at]!) : prepared(mail));
// The answer's text may be ten times the mail, and is not counted as memory of the mail.
const peakMegabytes = peak() - before;
if (task === "show") JSON.stringify(done);
const { user, system } = process.cpuUsage(start);
if (task === "prepare")
  for (const [at, json] of done.entries()) writeFileSync(`${folder}/${names[at]}.json`, String(json));
process.stdout.write(JSON.stringify({ cpuSeconds: (user + system) / 1e6, peakMegabytes } satisfies MailCost));
process.exit();
