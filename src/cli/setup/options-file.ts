import { existsSync } from "node:fs";
import { chmod, mkdir, open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";
import type { OptionName } from "../../config/schema.ts";

/** What the file of options would have beside what it has. */
export async function newOptions(
  path: string,
  kept: Partial<Record<OptionName, string>>,
): Promise<Record<string, string>> {
  const before = await readOptions(path);
  return Object.fromEntries(Object.entries(kept).filter(([name, value]) => written(before[name]) !== value));
}

/** Adds options to the file, which keeps the others. A crash leaves the old file or the new one. */
export async function writeOptions(path: string, added: Record<string, string>): Promise<void> {
  if (Object.keys(added).length === 0) return;
  const text = `${JSON.stringify({ ...(await readOptions(path)), ...added }, null, 2)}\n`;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.new`;
  const file = await open(temporary, "w", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  // A URL of the database may have a password.
  await chmod(temporary, 0o600);
  await rename(temporary, path);
}

async function readOptions(path: string): Promise<Record<string, unknown>> {
  return existsSync(path) ? (JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>) : {};
}

const written = (value: unknown) =>
  Array.isArray(value) ? value.join(",") : value === undefined ? undefined : String(value);
