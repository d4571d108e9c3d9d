import { list } from "../api.ts";

/** The id of the account with this main address; undefined if there is none. */
export async function accountIdOf(login: string): Promise<string | undefined> {
  const wanted = login.trim().toLowerCase();
  const { rows } = await list("Account", { filter: { begins: wanted }, limit: 1 });
  return rows[0]?.login === wanted ? rows[0].id : undefined;
}
