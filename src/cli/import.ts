import { constants, getPriority, setPriority } from "node:os";
import { emlSource } from "../admin/import/eml.ts";
import { imapSource } from "../admin/import/imap.ts";
import { type Imported, importMail } from "../admin/import/import.ts";
import { jmapSource } from "../admin/import/jmap.ts";
import { maildirSource } from "../admin/import/maildir.ts";
import { mboxSource } from "../admin/import/mbox.ts";
import { type Dialect, dialects } from "../admin/import/mbox-dialect.ts";
import { type Source, SourceFault } from "../admin/import/source.ts";
import { takeoutSource } from "../admin/import/takeout.ts";
import { QuotaFull } from "../admin/import/writer.ts";
import { loginOf } from "../admin/names.ts";
import { systemClock } from "../base/clock.ts";
import { showSize } from "../config/values.ts";
import { Blobs } from "../store/blobs/blobs.ts";
import type { Context } from "./command.ts";
import { Failure } from "./fail.ts";
import { loginThere, type OtherLogin, passwordThere } from "./other-server.ts";
import { withProgress } from "./progress.ts";
import { answer, table } from "./prompt.ts";

/** How many mails that could not be read, or had, are named in words. */
const maxNamed = 20;

interface Given extends OtherLogin {
  from: string;
  into?: string;
  dialect?: string;
  dryRun?: true;
}

export async function importMailFrom(context: Context, account: string, place = ""): Promise<void> {
  const { admin, objects } = context;
  const given = context.options as unknown as Given;
  // Fails before anyone types a password.
  await loginOf(admin, account);
  // Those whom the server answers go first.
  const usual = getPriority();
  setPriority(Math.max(usual, constants.priority.PRIORITY_LOW));
  const blobs = new Blobs({ objects, clock: systemClock, cacheBytes: 0 });
  const into = (given.into ?? "").split("/").filter((name) => name !== "");
  const isDryRun = given.dryRun === true;
  try {
    const source = await sourceOf(place, given, into.length > 0);
    const start = performance.now();
    const result = await withProgress((progress) =>
      importMail(admin, account, {
        ...{ source, blobs, into, isDryRun },
        tell: ({ seen, total }) => {
          const rate = Math.round((seen * 1000) / (performance.now() - start));
          progress(`${seen}${total === undefined ? "" : ` of ${total}`} mails, ${rate} a second`);
        },
      }),
    );
    answer(context, { ...result, isDryRun }, words(result, isDryRun).join("\n"));
    if (result.failed.length > 0) process.exitCode = 1;
  } catch (error) {
    throw tellable(error, place, account);
  } finally {
    // Only root may go back, and for this command it does not matter.
    if (process.getuid?.() === 0) setPriority(usual);
  }
}

function tellable(error: unknown, place: string, account: string): unknown {
  if (error instanceof SourceFault) return new Failure(error.message);
  if (error instanceof QuotaFull) {
    const next = `posthorn account quota ${account} SIZE`;
    return new Failure(
      `${account} has no room for more: what was brought stays; raise its limit (${next}) and run this again`,
    );
  }
  const { code, path } = error as NodeJS.ErrnoException;
  if (code === "ENOENT" && path !== undefined) return new Failure(`there is no ${path}`);
  if (code === "EACCES" && path !== undefined) return new Failure(`this user may not read ${path}, or ${place}`);
  return error;
}

async function sourceOf(place: string, given: Given, isInto: boolean): Promise<Source> {
  const { from, dialect } = given;
  if (dialect !== undefined && (from !== "mbox" || !dialects.includes(dialect as Dialect))) {
    throw new Failure(`--dialect is of --from mbox: ${dialects.join(", ")}`);
  }
  switch (from) {
    case "mbox":
      return mboxSource(place, { dialect: dialect as Dialect | undefined, isInto });
    case "maildir":
      return maildirSource(place);
    case "eml":
      return emlSource(place, { isInto });
    case "takeout":
      return takeoutSource(place);
    case "jmap":
      return jmapSource(place, await loginThere(given));
    case "imap": {
      const url = URL.parse(/^imaps?:\/\//.test(place) ? place : `imaps://${place}`);
      if (!url) throw new Failure(`${place} is not like imaps://mail.example.org`);
      return imapSource({ url, ...(await passwordThere(given)) });
    }
    default:
      throw new Failure(`"${from}" is not archive, mbox, maildir, eml, takeout, jmap or imap`);
  }
}

function words(result: Imported, isDryRun: boolean): string[] {
  const { login, seen, made, changed, destroyed, unreadable, failed, left } = result;
  const rows = Object.entries(result.mailboxes).map(([name, { mails, fresh, octets }]) => [
    name,
    String(mails),
    String(fresh),
    showSize(octets),
  ]);
  const counted = rows.length > 0 ? [table([["MAILBOX", "MAILS", "NEW", "SIZE"], ...rows])] : [];
  const leftOut = Object.entries(left).map(([why, count]) => `${count} left out: ${why}.`);
  if (isDryRun) return [...counted, `${seen} mails would be looked at for ${login}; nothing was changed.`, ...leftOut];
  const same = seen - made - changed;
  return [
    ...counted,
    `Brought ${made} new mails to ${login}; ${changed} changed, ${destroyed} destroyed, ${Math.max(0, same)} were known already or are the same message.`,
    ...leftOut,
    ...named("could not be read; each is kept as an attachment of a message in its place", unreadable),
    ...named("could not be had; the next run tries again", failed),
  ];
}

function named(what: string, all: readonly { where: string; why: string }[]): string[] {
  if (all.length === 0) return [];
  return [
    `${all.length} ${what}:`,
    ...all.slice(0, maxNamed).map(({ where, why }) => `  ${where}: ${why}`),
    ...(all.length > maxNamed ? [`  and ${all.length - maxNamed} more (--json names them)`] : []),
  ];
}
