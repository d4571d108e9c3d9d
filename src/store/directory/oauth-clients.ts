import { type Row, read, write } from "../core/declare.ts";
import type { Executor } from "../core/sql.ts";

const columns = ["id", "name", "redirectUris", "createdAt"] as const;

/** A program for browsers that the operator registered. */
export type OauthClient = Row<"oauthClient", (typeof columns)[number]>;

const byId = read("oauthClients.byId", (db, $: { id: string }) =>
  db.selectFrom("oauthClient").select(columns).where("id", "=", $.id),
);
const all = read("oauthClients.all", (db) => db.selectFrom("oauthClient").select(columns).orderBy("createdAt"));
const insert = write("oauthClients.add", (db, $: OauthClient) =>
  db.insertInto("oauthClient").values({ id: $.id, name: $.name, redirectUris: $.redirectUris, createdAt: $.createdAt }),
);
const remove = write("oauthClients.remove", (db, $: { id: string }) =>
  db.deleteFrom("oauthClient").where("id", "=", $.id),
);

export async function findOauthClient(executor: Executor, id: string): Promise<OauthClient | undefined> {
  return (await executor.run(byId, { id }))[0];
}

export function listOauthClients(executor: Executor): Promise<OauthClient[]> {
  return executor.run(all);
}

export async function addOauthClient(executor: Executor, client: OauthClient): Promise<void> {
  await executor.run(insert, client);
}

/** False if there is none. */
export async function removeOauthClient(executor: Executor, id: string): Promise<boolean> {
  return (await executor.count(remove, { id })) > 0;
}
