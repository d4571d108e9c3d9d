import type { Database } from "./database.ts";
import { statement } from "./sql.ts";

const select = statement<{ value: string }>("SELECT value FROM setting WHERE name = $1");
const insert = statement("INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING");

export async function findSetting(database: Database, name: string): Promise<string | undefined> {
  const [row] = await database.run(select, [name]);
  return row?.value;
}

/** Returns the setting, created with `make` if missing. When processes race, all get the value that was stored first. */
export async function keepSetting(database: Database, name: string, make: () => Promise<string>): Promise<string> {
  const found = await findSetting(database, name);
  if (found !== undefined) return found;
  await database.run(insert, [name, await make()]);
  return (await findSetting(database, name))!;
}
