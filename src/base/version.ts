import { readFileSync } from "node:fs";

const about = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { version: string };

/** The version of this program. */
export const version = about.version;

/** Whether version `one` came before `other`. Both have the form 1.2.3. */
export function isOlder(one: string, other: string): boolean {
  return one.localeCompare(other, "en", { numeric: true }) < 0;
}
