import pg from "pg";
import { addressesOf, type ConnectionOptions } from "./connection-options.ts";
import { clientOptions } from "./pool.ts";

/** The pooler before the database does not give us sessions of our own. The message is for the operator. */
export class PoolerRefused extends Error {}

/** Enough for a database that answers at all. */
const timeoutMs = 5_000;

/** Throws PoolerRefused when the connections lead through a pooler of transactions or statements, such as PgBouncer. */
export async function refusePooler(connection: ConnectionOptions): Promise<void> {
  const outcomes = await Promise.allSettled(addressesOf(connection).map(refusePoolerAt));
  const errors = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason as Error] : []));
  const refusal = errors.find((error) => error instanceof PoolerRefused);
  if (refusal) throw refusal;
  // Of several servers, some may be away.
  if (errors.length === outcomes.length) throw errors[0];
}

async function refusePoolerAt(address: ConnectionOptions): Promise<void> {
  const clients: pg.Client[] = [];
  const connect = async (): Promise<pg.Client> => {
    const client = new pg.Client({
      ...clientOptions,
      ...address,
      application_name: "posthorn start",
      connectionTimeoutMillis: timeoutMs,
      query_timeout: timeoutMs,
    });
    // The next statement fails if the connection breaks; without a listener the error would end the process.
    client.on("error", () => {});
    clients.push(client);
    await client.connect();
    return client;
  };
  try {
    const first = await connect();
    const backend = await backendOf(first);
    // A pooler invents the number that it gives to a client at the start.
    if (backend === (first as { processID?: number | null }).processID) return;
    const second = await connect();
    // If it waits in vain for a session, the first one has a session of its own. A pooler of statements refuses this one.
    const outcome = await second.query("BEGIN").then(
      () => "begun" as const,
      ({ code }: { code?: string }) => (code === undefined ? ("waits" as const) : ("refused" as const)),
    );
    if (outcome === "waits") return;
    if (outcome === "refused" || (await backendOf(second)) === backend || (await backendOf(first)) !== backend) {
      throw new PoolerRefused(
        "the database is behind a pooler that gives each transaction another session, but prepared statements, LISTEN and " +
          "locks need sessions that stay: --database-url must lead to Postgres itself, or to a pooler with pool_mode = session",
      );
    }
  } catch (error) {
    const { message } = error as Error;
    if (!/unsupported startup parameter/.test(message)) throw error;
    throw new PoolerRefused(
      `the database is behind a pooler, which answers "${message}", as PgBouncer before 1.20 does: ` +
        "--database-url must lead to Postgres itself",
    );
  } finally {
    await Promise.all(clients.map((client) => client.end().catch(() => {})));
  }
}

/** The process of the database that serves the client now. */
async function backendOf(client: pg.Client): Promise<number | undefined> {
  const { rows } = await client.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
  return rows[0]?.pid;
}
