import { type Client, connect, one } from "../conformance/client/client.ts";
import type { GetResult, ImportResult, QueryResult, SetResult } from "../conformance/client/types.ts";
import { type Host, type Ledger, password, readLedger, writeLedger } from "./host.ts";
import { mailAt, receivedAt, traits } from "./mails.ts";
import { Progress } from "./report.ts";

export type Login = { url: string; user: string; password: string };
/** RFC 8620 lets a server allow as few as four uploads at once. */
export const uploadsAtOnce = 4;
const batchSize = 100;

export async function inboxOf(client: Client): Promise<{ id: string; total: number }> {
  const { list } = await one<GetResult<{ id: string; role: string | null; totalEmails: number }>>(
    client,
    "Mailbox/get",
    { ids: null, properties: ["role", "totalEmails"] },
  );
  const inbox = list.find((mailbox) => mailbox.role === "inbox");
  if (!inbox) throw new Error("the account has no inbox");
  return { id: inbox.id, total: inbox.totalEmails };
}

/** Runs the tasks with this many workers, and keeps their order in the result. */
export async function spread<T, R>(items: T[], workers: number, task: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < items.length) {
      const at = next++;
      results[at] = await task(items[at] as T);
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
  return results;
}

type Prepared = { i: number; blobId: string };

async function importBatch(client: Client, inbox: string, batch: Prepared[]): Promise<void> {
  const emails = Object.fromEntries(
    batch.map(({ i, blobId }) => [
      `m${i}`,
      {
        blobId,
        mailboxIds: { [inbox]: true },
        keywords: traits(i).unread ? {} : { $seen: true },
        receivedAt: receivedAt(i),
      },
    ]),
  );
  const result = await one<ImportResult>(client, "Email/import", { emails });
  const made = Object.keys(result.created ?? {}).length;
  if (made !== batch.length)
    throw new Error(`import made ${made} of ${batch.length}: ${JSON.stringify(result.notCreated)}`);
}

/** Imports the mails that a mailbox still lacks. An interrupted fill can be continued, since batches are complete and in order. */
export async function fillInbox(
  login: Login,
  owner: string,
  count: number,
  tick: (mails: number) => void,
): Promise<void> {
  const client = await connect({ ...login, timeoutMs: 120_000 });
  const { id, total } = await inboxOf(client);
  if (total > count) throw new Error(`${login.user} has ${total} mails in the inbox, more than the ${count} wanted`);
  tick(total);
  let importing = Promise.resolve();
  for (let at = total; at < count; at += batchSize) {
    const numbers = Array.from({ length: Math.min(batchSize, count - at) }, (_, n) => at + n);
    const batch = await spread(numbers, uploadsAtOnce, async (i) => ({
      i,
      blobId: (await client.upload(mailAt(owner, i), "message/rfc822")).blobId,
    }));
    // The next batch is uploaded while this one is imported.
    await importing;
    importing = importBatch(client, id, batch).then(() => tick(batch.length));
    importing.catch(() => {});
  }
  await importing;
  client.close();
}

/** Removes what an earlier measurement left: all mail later than the last of the fill. */
export async function tidy(client: Client, count: number): Promise<void> {
  const after = receivedAt(count);
  for (;;) {
    const { ids } = await one<QueryResult>(client, "Email/query", { filter: { after }, limit: 200 });
    if (ids.length === 0) return;
    const { destroyed } = await one<SetResult>(client, "Email/set", { destroy: ids });
    if (destroyed?.length !== ids.length) throw new Error("could not remove the mails of the measurement");
  }
}

type Job = { address: string; owner: string; count: number };

export function jobs(sizes: number[], neighbours: number, perNeighbour: number): Job[] {
  const job = (owner: string, count: number): Job => ({ owner, address: `${owner}@bench.test`, count });
  return [
    ...sizes.toSorted((a, b) => b - a).map((count) => job(`n${count}`, count)),
    ...Array.from({ length: neighbours }, (_, n) => job(`neighbour${n}`, perNeighbour)),
  ];
}

/** Adds the accounts and fills them; returns whether there was anything to do. */
export async function fillHost(host: Host, folder: string, all: Job[]): Promise<boolean> {
  const ledger: Ledger = readLedger(folder);
  const accounts = new Progress("accounts", all.length);
  await spread(all, 2, async ({ address }) => {
    if (!ledger.accounts.includes(address)) {
      await host.addAccount(address);
      ledger.accounts.push(address);
      writeLedger(folder, ledger);
    }
    accounts.tick(1);
  });
  accounts.end();
  const label = (one: Job): string => `${one.owner}:${one.count}`;
  const open = all.filter((one) => !ledger.filled.includes(label(one)));
  const mails = new Progress(
    "mails",
    open.reduce((sum, one) => sum + one.count, 0),
  );
  await spread(open, 6, async (one) => {
    await fillInbox({ url: host.url, user: one.address, password }, one.owner, one.count, (n) => mails.tick(n));
    ledger.filled.push(label(one));
    writeLedger(folder, ledger);
  });
  mails.end();
  return open.length > 0;
}
