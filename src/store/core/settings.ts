import type { Database } from "./database.ts";
import { read, write } from "./declare.ts";

const byName = read("settings.byName", (db, $: { name: string }) =>
  db.selectFrom("setting").select("value").where("name", "=", $.name),
);
const beginning = read("settings.beginning", (db, $: { prefix: string }) =>
  db
    .selectFrom("setting")
    .select(["name", "value"])
    .where((eb) => eb.fn<boolean>("starts_with", ["name", eb.val($.prefix)])),
);
const insert = write("settings.insert", (db, $: { name: string; value: string }) =>
  db
    .insertInto("setting")
    .values({ name: $.name, value: $.value })
    .onConflict((conflict) => conflict.column("name").doNothing())
    .returning("name"),
);
const upsert = write("settings.upsert", (db, $: { name: string; value: string }) =>
  db
    .insertInto("setting")
    .values({ name: $.name, value: $.value })
    .onConflict((conflict) => conflict.column("name").doUpdateSet({ value: $.value })),
);
const replace = write("settings.replace", (db, $: { name: string; from: string; to: string }) =>
  db
    .updateTable("setting")
    .set({ value: $.to })
    .where("name", "=", $.name)
    .where("value", "=", $.from)
    .returning("name"),
);
const remove = write("settings.remove", (db, $: { name: string }) =>
  db.deleteFrom("setting").where("name", "=", $.name),
);

export async function findSetting(database: Database, name: string): Promise<string | undefined> {
  const [row] = await database.run(byName, { name });
  return row?.value;
}

export function settingsBeginning(database: Database, prefix: string): Promise<{ name: string; value: string }[]> {
  return database.run(beginning, { prefix });
}

/** Returns the setting, created with `make` if missing. When processes race, all get the value that was stored first. */
export async function keepSetting(database: Database, name: string, make: () => Promise<string>): Promise<string> {
  const found = await findSetting(database, name);
  if (found !== undefined) return found;
  await database.run(insert, { name, value: await make() });
  return (await findSetting(database, name))!;
}

export async function putSetting(database: Database, name: string, value: string): Promise<void> {
  await database.run(upsert, { name, value });
}

/** Changes the setting only if it still is `from` (undefined: missing). Returns whether it did. */
export async function replaceSetting(
  database: Database,
  name: string,
  { from, to }: { from: string | undefined; to: string },
): Promise<boolean> {
  const changed =
    from === undefined
      ? await database.run(insert, { name, value: to })
      : await database.run(replace, { name, from, to });
  return changed.length > 0;
}

export async function dropSetting(database: Database, name: string): Promise<void> {
  await database.run(remove, { name });
}
