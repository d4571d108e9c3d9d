import { mkdir, open, rename } from "node:fs/promises";
import { join, resolve } from "node:path";
import { amountOfMessages } from "../admin/export/archive.ts";
import { exportArchive, exportMails, ownerOf } from "../admin/export/export-account.ts";
import { JmapTarget } from "../admin/export/jmap-target.ts";
import { MaildirWriter } from "../admin/export/maildir.ts";
import { MboxWriter } from "../admin/export/mbox.ts";
import { openArchive } from "../admin/export/open-archive.ts";
import { FolderSink, type Sink, TarSink } from "../admin/export/sink.ts";
import type { Source } from "../admin/export/source.ts";
import { verifyArchive } from "../admin/export/verify.ts";
import { JmapClient } from "../admin/import/jmap-client.ts";
import { SourceFault } from "../admin/import/source.ts";
import { systemClock } from "../base/clock.ts";
import { version } from "../base/version.ts";
import { showSize } from "../config/values.ts";
import { accountObjects } from "../jmap/account-objects.ts";
import { Blobs } from "../store/blobs/blobs.ts";
import type { Context } from "./command.ts";
import { Failure } from "./fail.ts";
import { loginThere, type OtherLogin } from "./other-server.ts";
import { withProgress } from "./progress.ts";
import { answer } from "./prompt.ts";

export async function exportAccount(context: Context, account: string): Promise<void> {
  const { options } = context;
  if (account === undefined) throw new Failure("name an account, or an archive with --verify");
  if (options.dryRun) return preview(context, account);
  if (typeof options.to !== "string") throw new Failure("say with --to where it goes");
  if (options.format === "jmap") return toServer(context, account, options.to);
  const to = resolve(options.to);
  if (options.format === "archive") return toArchive(context, account, to);
  if (options.format === "mbox") return toMails(context, account, { to, writer: new MboxWriter(to) });
  if (options.format === "maildir") return toMails(context, account, { to, writer: new MaildirWriter(to) });
  throw new Failure(`--format is archive, mbox, maildir or jmap, not "${options.format}"`);
}

function sourceOf({ store, objects }: Context): Source {
  const blobs = new Blobs({ objects, clock: systemClock, cacheBytes: 0 });
  return { store, blobs, objects: accountObjects };
}

async function toArchive(context: Context, account: string, to: string): Promise<void> {
  const manifest = await withProgress(async (tell) => {
    const { sink, done } = to.endsWith(".tar") ? await tarAt(to) : { sink: new FolderSink(to), done: async () => {} };
    const workFolder = to.endsWith(".tar") ? `${to}.work` : join(to, ".work");
    const means = { sink, workFolder, program: `posthorn ${version}`, tell };
    const written = await exportArchive(context.admin, sourceOf(context), account, means);
    await done();
    return written;
  });
  const { count, bytes } = manifest.messages;
  const emails = manifest.objects.Email!.count;
  const words = [
    `Wrote ${manifest.account.address} to ${to}: ${emails} emails, ${count} messages (${showSize(bytes)}).`,
    `SHA256SUMS has the hash ${manifest.checksums}. To read it back: posthorn export --verify ${to}`,
    ...manifest.missing.map((hash) => `The body of the message ${hash} could not be read (see: posthorn doctor).`),
  ];
  answer(context, manifest, words.join("\n"));
  if (manifest.missing.length > 0) process.exitCode = 1;
}

/** Until it is whole, the file has another name; a run that was killed begins it anew. */
async function tarAt(path: string): Promise<{ sink: Sink; done: () => Promise<void> }> {
  const part = `${path}.part`;
  const file = await open(part, "w", 0o600);
  const done = async () => {
    await file.sync();
    await file.close();
    await rename(part, path);
  };
  return { sink: new TarSink(systemClock.now(), async (piece) => void (await file.writeFile(piece))), done };
}

async function toMails(
  context: Context,
  account: string,
  { to, writer }: { to: string; writer: MboxWriter | MaildirWriter },
): Promise<void> {
  await mkdir(to, { recursive: true, mode: 0o700 });
  const format = writer instanceof MboxWriter ? "mbox" : "maildir";
  // In Maildir, a name that begins with a dot is a mailbox's.
  const workFolder = join(to, format === "maildir" ? "posthorn-work" : ".work");
  const written = await withProgress((tell) =>
    exportMails(context.admin, sourceOf(context), account, { format, writer, workFolder, tell }),
  );
  const keywordsLeftOut = writer instanceof MaildirWriter ? writer.keywordsLeftOut : 0;
  const words = [
    `Wrote ${written.emails} emails of ${written.account} in ${written.mailboxes} mailboxes to ${to}.`,
    ...written.missing.map((id) => `The body of the email ${id} could not be read (see: posthorn doctor).`),
  ];
  if (keywordsLeftOut > 0) words.push(`${keywordsLeftOut} keywords were left out: a folder has letters for 26.`);
  answer(context, { ...written, keywordsLeftOut }, words.join("\n"));
  if (written.missing.length > 0) process.exitCode = 1;
}

async function toServer(context: Context, account: string, place: string): Promise<void> {
  const workFolder = join(context.config.data, "exports", `to-server-${process.pid}`);
  try {
    const target = new JmapTarget(await JmapClient.connect(place, await loginThere(context.options as OtherLogin)));
    const written = await withProgress((tell) =>
      exportMails(context.admin, sourceOf(context), account, { format: "jmap", writer: target, workFolder, tell }),
    );
    const { present, refused } = target;
    const sent = written.emails - present - refused.length;
    const words = [
      `Put ${sent} emails of ${written.account} into the account at ${place}; ${present} were there.`,
      ...refused.map(({ id, why }) => `It refused the email ${id}: ${why}.`),
      ...written.missing.map((id) => `The body of the email ${id} could not be read (see: posthorn doctor).`),
    ];
    answer(context, { ...written, emails: sent, present, refused }, words.join("\n"));
    if (refused.length + written.missing.length > 0) process.exitCode = 1;
  } catch (error) {
    if (error instanceof SourceFault) throw new Failure(`${error.message}; what was put there stays: run this again`);
    throw error;
  }
}

async function preview(context: Context, account: string): Promise<void> {
  const owner = await ownerOf(context.admin, account);
  const source = sourceOf(context);
  const found = await context.store.snapshot(owner.accountId, "server", async (reader) => {
    const [count, bytes] = await amountOfMessages(reader);
    const objects: Record<string, number> = {};
    for (const [type, pages] of Object.entries(source.objects)) {
      objects[type] = 0;
      for await (const page of pages(reader)) objects[type] += page.length;
    }
    return { account: owner.address, objects, messages: count, bytes };
  });
  const words = `Would write ${found.objects.Email} emails and ${found.messages} messages (${showSize(found.bytes)}) of ${found.account}.`;
  answer(context, found, words);
}

export async function verify(options: { verify?: string; json?: boolean }): Promise<void> {
  const archive = await openArchive(resolve(options.verify!));
  try {
    const found = await withProgress((tell) => verifyArchive(archive, tell));
    const { address } = archive.manifest.account;
    const words =
      found.problems.length > 0
        ? [`The archive of ${address} is damaged:`, ...found.problems.map((problem) => `  ${problem}`)]
        : [
            `The archive of ${address} of ${archive.manifest.at} is whole: ${found.messages} messages, ${found.objects.Email} emails.`,
          ];
    for (const hash of found.missing) words.push(`It never had the message ${hash}, which could not be read.`);
    answer({ options }, { account: address, at: archive.manifest.at, ...found }, words.join("\n"));
    if (found.problems.length > 0) process.exitCode = 1;
  } finally {
    await archive.close();
  }
}
