import type { Blobs } from "../../store/blobs/blobs.ts";
import {
  beginImport,
  findImportItems,
  findImportSource,
  importKeys,
  writeImportState,
} from "../../store/mail/imports.ts";
import { type Admin, changeAccount } from "../admin.ts";
import { loginOf } from "../names.ts";
import { batches } from "./batches.ts";
import { Places } from "./places.ts";
import type { Earlier, Source, SourceMail, SourceMailbox } from "./source.ts";
import { added, nothing, Writer, type Written } from "./writer.ts";

/** How many that failed are named. */
const maxNamed = 10_000;
const pageOfKeys = 10_000;

export interface Imported extends Written {
  login: string;
  source: string;
  /** They are there, and could not be had: the next run tries again. */
  failed: { where: string; why: string }[];
  /** How many were left out, by the reason. */
  left: Record<string, number>;
  /** By the path of the mailbox, joined with "/": mails, of these new, and their octets. A mail may be in several. */
  mailboxes: Record<string, { mails: number; fresh: number; octets: number }>;
}

interface Options {
  source: Source;
  blobs: Blobs;
  /** The mailbox below which all is put; empty for none. */
  into: readonly string[];
  isDryRun: boolean;
  tell: (progress: { seen: number; total: number | undefined }) => void;
}

interface State {
  reader: Record<string, unknown>;
  mailboxes: Record<string, { id: number; path: string }>;
}

/**
 * Brings the mail of a source into an account. It may be ended at any moment and run again: what was brought is not brought
 * twice, and what changed in the source since is changed here. Throws SourceFault and QuotaFull.
 */
export async function importMail(admin: Admin, address: string, options: Options): Promise<Imported> {
  const { store } = admin;
  const { source, isDryRun, into, tell } = options;
  const { login, userId } = await loginOf(admin, address);
  const reader = store.reader(userId, "server");
  const begun = isDryRun
    ? await findImportSource(reader, source.name)
    : await changeAccount(admin, { userId }, { act: "account.import", source: source.name }, (tx) =>
        beginImport(tx, source.name),
      );
  const sourceId = begun?.id ?? 0;
  const state = { reader: {}, mailboxes: {}, ...(JSON.parse(begun?.state ?? "{}") as Partial<State>) };
  const places = new Places(store, userId, into, state.mailboxes);
  const writer = new Writer({ store, blobs: options.blobs, accountId: userId, sourceId, places });
  const keep = (isEnd: boolean) =>
    store.write(userId, "server", (tx) =>
      writeImportState(tx, sourceId, JSON.stringify({ reader: state.reader, mailboxes: places.mapped }), isEnd),
    );
  const earlier: Earlier = {
    state: state.reader,
    async known(keys) {
      return new Set((await findImportItems(reader, sourceId, keys)).map(({ key }) => key));
    },
    async *keysOf(prefix) {
      for (let after = prefix; ; ) {
        const page = await importKeys(reader, sourceId, { prefix, after, limit: pageOfKeys });
        yield* page;
        if (page.length < pageOfKeys) return;
        after = page.at(-1)!;
      }
    },
  };

  const result: Imported = { login, source: source.name, failed: [], left: {}, mailboxes: {}, ...nothing() };
  const add = (written: Written) => {
    Object.assign(result, added(result, written));
    result.unreadable.length = Math.min(result.unreadable.length, maxNamed);
    tell({ seen: result.seen, total: source.total });
  };
  let writing: Promise<void> = Promise.resolve();
  let mailboxes: readonly SourceMailbox[] | undefined;
  for await (const batch of batches(source.items(earlier))) {
    if (batch.kind === "failed") {
      if (result.failed.length < maxNamed) result.failed.push({ where: batch.where, why: batch.why });
    } else if (batch.kind === "left") result.left[batch.why] = (result.left[batch.why] ?? 0) + 1;
    else if (batch.kind === "mails") {
      count(result.mailboxes, batch.mails, into, await earlier.known(batch.mails.map(({ key }) => key)));
      if (isDryRun) {
        add({ ...nothing(), seen: batch.mails.length });
        continue;
      }
      // The next batch is made ready while this one is written.
      const write = await writer.ready(batch.mails);
      await writing;
      writing = write().then(add);
      writing.catch(() => {});
    } else if (!isDryRun) {
      await writing;
      if (batch.kind === "gone") add(await writer.gone(batch.keys));
      else if (batch.kind === "mailboxes") {
        mailboxes = batch.mailboxes;
        await places.learn(mailboxes);
      } else {
        state.reader = batch.state as State["reader"];
        await keep(false);
      }
    }
  }
  await writing;
  if (isDryRun) return result;
  if (mailboxes) await places.drop(mailboxes);
  await keep(true);
  return result;
}

function count(
  counts: Imported["mailboxes"],
  mails: readonly SourceMail[],
  into: readonly string[],
  known: ReadonlySet<string>,
): void {
  for (const { key, raw, mailboxes } of mails) {
    for (const { path } of mailboxes) {
      const name = [...into, ...path].join("/") || "Inbox";
      counts[name] ??= { mails: 0, fresh: 0, octets: 0 };
      const own = counts[name];
      own.mails++;
      own.octets += raw?.length ?? 0;
      if (!known.has(key)) own.fresh++;
    }
  }
}
