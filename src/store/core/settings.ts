import type { Database } from "./database.ts";
import { read, write } from "./declare.ts";

const byName = read("settings.byName", (db, $: { name: string }) =>
  db.selectFrom("setting").select("value").where("name", "=", $.name),
);
const insert = write("settings.insert", (db, $: { name: string; value: string }) =>
  db
    .insertInto("setting")
    .values({ name: $.name, value: $.value })
    .onConflict((conflict) => conflict.column("name").doNothing()),
);

export async function findSetting(database: Database, name: string): Promise<string | undefined> {
  const [row] = await database.run(byName, { name });
  return row?.value;
}

/** Returns the setting, created with `make` if missing. When processes race, all get the value that was stored first. */
export async function keepSetting(database: Database, name: string, make: () => Promise<string>): Promise<string> {
  const found = await findSetting(database, name);
  if (found !== undefined) return found;
  await database.run(insert, { name, value: await make() });
  return (await findSetting(database, name))!;
}
