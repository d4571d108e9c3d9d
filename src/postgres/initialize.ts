import { once } from "node:events";
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { join } from "node:path";
import type { Layout } from "./layout.ts";
import { giveTo, spawnProgram } from "./postmaster.ts";
import { StartError } from "./start-error.ts";

const draft = "pg-init-";
const hourMs = 3_600_000;

/**
 * Creates the database's files if there are none. They are created in a draft folder that is then renamed, so a start that
 * is killed leaves nothing half made, and of several starts at once one wins.
 */
export async function initialize(layout: Layout): Promise<void> {
  if (checkVersion(layout)) return;
  removeOldDrafts(layout.data);
  const folder = mkdtempSync(join(layout.data, draft));
  giveTo(layout, folder);
  try {
    await initdb(layout, folder);
    renameSync(folder, layout.pg);
    sync(layout.data);
  } catch (error) {
    if (!checkVersion(layout)) throw error;
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Whether the files exist. Throws if another major version made them, or if they are not Postgres's. */
function checkVersion({ pg, binaries }: Layout): boolean {
  if (!existsSync(pg)) return false;
  const file = join(pg, "PG_VERSION");
  if (!existsSync(file)) {
    if (readdirSync(pg).length === 0) return false;
    throw new StartError(`${pg} is not a Postgres data folder: move it away`);
  }
  const found = readFileSync(file, "utf8").trim();
  if (found === binaries.major) return true;
  throw new StartError(
    `${pg} was made by Postgres ${found} and this is ${binaries.major}: export with the older Posthorn and import with this one`,
  );
}

async function initdb(layout: Layout, folder: string): Promise<void> {
  const args = ["-D", folder, "-U", "posthorn", "--auth=trust", "--encoding=UTF8", "--data-checksums"];
  args.push("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C");
  const child = spawnProgram(layout, "initdb", args, "pipe");
  const output: Buffer[] = [];
  child.stdout?.on("data", (chunk: Buffer) => output.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => output.push(chunk));
  const [code, signal] = (await once(child, "close").catch((error: Error) => {
    throw new StartError(`cannot run initdb: ${error.message}`);
  })) as [number | null, string | null];
  if (code === 0) return;
  const lines = Buffer.concat(output)
    .toString("utf8")
    .trim()
    .split("\n")
    .filter((line) => !line.startsWith("initdb: removing"));
  const reason = lines.findLast((line) => /(error|fatal):/i.test(line)) ?? lines.at(-1);
  throw new StartError(`Postgres could not make its files in ${folder}: ${reason ?? ""} (exit ${code ?? signal})`);
}

function removeOldDrafts(data: string): void {
  for (const name of readdirSync(data).filter((entry) => entry.startsWith(draft))) {
    const path = join(data, name);
    const old = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now()) > hourMs;
    if (old) rmSync(path, { recursive: true, force: true });
  }
}

function sync(folder: string): void {
  const handle = openSync(folder, "r");
  fsyncSync(handle);
  closeSync(handle);
}
