import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { version } from "../base/version.ts";

export interface About {
  version: string;
  /** Null if this is neither a checkout nor a package that was built from one. */
  commit: string | null;
  node: string;
  /** The number of the last migration. */
  schema: number;
  /** All of it in one line. */
  text: string;
}

const root = fileURLToPath(new URL("../../", import.meta.url));

/** What this program is. */
export function about(): About {
  const numbers = readdirSync(join(root, "migrations")).map((name) => Number(/^(\d+)_/.exec(name)?.[1] ?? 0));
  const schema = Math.max(...numbers);
  const commit = read("dist/commit") || commitOf(root) || null;
  const known = commit === null ? "" : `commit ${commit.slice(0, 12)}, `;
  const node = process.versions.node;
  return { version, commit, node, schema, text: `posthorn ${version} (${known}Node ${node}, schema ${schema})` };
}

/** The commit that a checkout stands at, read without git, which need not be installed. */
function commitOf(folder: string): string | undefined {
  const link = /^gitdir: (.*)/.exec(read(".git") ?? "")?.[1];
  const own = link ?? join(folder, ".git");
  const head = read(join(own, "HEAD"), "");
  if (head === undefined || /^[0-9a-f]{40,}$/.test(head)) return head;
  const name = head.replace(/^ref: /, "");
  const shared = join(own, read(join(own, "commondir"), "") ?? ".");
  const packed = read(join(shared, "packed-refs"), "")?.split("\n");
  return read(join(shared, name), "") ?? packed?.find((line) => line.endsWith(` ${name}`))?.split(" ")[0];
}

function read(path: string, folder = root): string | undefined {
  try {
    return readFileSync(join(folder, path), "utf8").trim();
  } catch {
    return undefined;
  }
}
