import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, describe, expect, test } from "vitest";
import { nastyMessages } from "./mime/corpus.ts";
import type { MailCost } from "./support/mail-cost.ts";

const run = promisify(execFile);
const program = fileURLToPath(new URL("./support/mail-cost.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "posthorn-cost-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function cost(task: "prepare" | "show", names: string[]): Promise<MailCost> {
  const { stdout } = await run(process.execPath, [program, task, folder, ...names]);
  return JSON.parse(stdout) as MailCost;
}

const mails = nastyMessages().map(({ name, bytes }, at) => {
  writeFileSync(join(folder, String(at)), bytes);
  return { name, file: String(at), megabytes: bytes.length / 1e6 };
});
const light = mails.filter(({ megabytes }) => megabytes < 0.05);
const heavy = mails.filter((mail) => !light.includes(mail));
const batches = [
  { name: "all that are small", files: light.map(({ file }) => file), megabytes: 0 },
  ...heavy.map(({ name, file, megabytes }) => ({ name, files: [file], megabytes })),
];

// Each mail in a process of its own, so that the peak is its own: once delivered, once shown in full.
describe.concurrent("a nasty mail costs at most 1 s of CPU and 64 MB beyond its size", { timeout: 60_000 }, () => {
  test.each(batches)("$name", async ({ files, megabytes }) => {
    const isFine = ({ cpuSeconds, peakMegabytes }: MailCost) => cpuSeconds < 1 && peakMegabytes < 64 + megabytes;
    for (const task of ["prepare", "show"] as const) {
      const spent: MailCost[] = [];
      // How much garbage is left when the peak is reached varies: what a mail costs by itself, it costs each time.
      do spent.push(await cost(task, files));
      while (!isFine(spent.at(-1)!) && spent.length < 3);
      expect(isFine(spent.at(-1)!), `${task}: ${JSON.stringify(spent)}`).toBe(true);
    }
  });
});
