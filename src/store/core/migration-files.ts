import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";

export interface Migration {
  number: number;
  name: string;
  /** SHA-256 of the file. */
  checksum: string;
  /** The oldest program that may run on a database with this migration. */
  oldestProgram: string;
  isBaseline: boolean;
  statements: string[];
}

/** The numbered files of a folder, in order. */
export async function readMigrations(folder: URL): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => /^\d{6}_\w+\.sql$/.test(name)).sort();
  return Promise.all(names.map((name) => readMigration(new URL(name, folder), name)));
}

async function readMigration(file: URL, name: string): Promise<Migration> {
  const sql = await readFile(file, "utf8");
  const oldestProgram = /^-- oldest program: (\d+\.\d+\.\d+)\n/.exec(sql)?.[1];
  if (oldestProgram === undefined) throw new Error(`${name} does not begin with "-- oldest program: 1.2.3"`);
  return {
    number: Number(name.slice(0, 6)),
    name,
    checksum: createHash("sha256").update(sql).digest("hex"),
    oldestProgram,
    isBaseline: name.slice(6).startsWith("_baseline_"),
    statements: statementsOf(sql),
  };
}

// Comments, strings, quoted names and dollar quotes match whole: a semicolon inside them does not end a statement.
const statementPattern = /(?:--.*|\/\*[\s\S]*?\*\/|'(?:[^']|'')*'|"[^"]*"|\$(\w*)\$[\s\S]*?\$\1\$|[^;])+/g;
const comment = /--.*|\/\*[\s\S]*?\*\//g;

/** Splits a file into statements, since Citus accepts only one per query. */
export function statementsOf(sql: string): string[] {
  return [...sql.matchAll(statementPattern)]
    .map(([text]) => text.trim())
    .filter((text) => text.replace(comment, "").trim() !== "");
}
