import { readFileSync } from "node:fs";

const about = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { version: string };

/** Of this program. */
export const version = about.version;

/** Whether the version `one` came before `other`; both in the form 1.2.3. */
export function isOlder(one: string, other: string): boolean {
  return one.localeCompare(other, "en", { numeric: true }) < 0;
}
