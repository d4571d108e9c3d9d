import { createHash } from "node:crypto";
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { type Binaries, findBinaries, linkLibraries } from "./binaries.ts";
import { StartError } from "./start-error.ts";
import {
  closedFolder,
  passCommand,
  postgresUser,
  refuseClosed,
  refuseClosedToUs,
  type SystemUser,
} from "./system-user.ts";

/** Where everything of one data folder lives. */
export interface Layout {
  data: string;
  /** The database's own folder. */
  pg: string;
  /** Folder of the socket. */
  run: string;
  links: string;
  logFile: string;
  user: SystemUser;
  /** Put in front of the programs where the user may not enter a folder on their way. */
  pass: string[] | undefined;
  binaries: Binaries;
}

/** The kernel's limit is 108 (104 on macOS); Postgres itself needs a few bytes more. */
const longestSocket = 99;
const port = 5432;

const socketIn = (folder: string) => join(folder, `.s.PGSQL.${port}`);
const fits = (folder: string) => Buffer.byteLength(socketIn(folder)) <= longestSocket;
/** Names the socket's folder when `run` would be too deep. */
const pointerIn = (data: string) => join(data, "run.path");

/** Where the socket of an existing data folder is, or undefined when nothing was ever started on it. */
export function existingRunFolder(dataFolder: string): string | undefined {
  const data = resolve(dataFolder);
  if (!existsSync(data)) return undefined;
  const real = realpathSync(data);
  const plain = join(real, "run");
  if (fits(plain)) return existsSync(plain) ? plain : undefined;
  return readPointer(real);
}

export function connectionTo(run: string) {
  // With the port, since PGPORT in the environment would otherwise choose another socket.
  return { host: run, port, user: "posthorn", database: "posthorn" };
}

/** Makes the folders that are missing, with the owners and modes that Postgres needs. */
export function prepareLayout(dataFolder: string): Layout {
  const binaries = findBinaries();
  const wanted = resolve(dataFolder);
  const root = process.getuid?.() === 0;
  makeFolder(wanted, root ? 0o711 : 0o700);
  const data = realpathSync(wanted);
  if (!statSync(data).isDirectory()) throw new StartError(`${wanted} is not a folder`);
  const pg = join(data, "pg");
  const user = postgresUser(statSync(existsSync(pg) ? pg : data).uid);
  const pass = root ? openToUser({ data, pg, user, binaries }) : undefined;
  const own = existsSync(pg) ? [pg, ...["lib", "log", "blobs"].map((name) => join(data, name))] : [data];
  if (!root) for (const path of own) checkMine(path, user);
  const links = join(data, "lib");
  linkLibraries(binaries, links);
  const log = join(data, "log");
  makeFolder(log, 0o700);
  return { data, pg, run: makeRunFolder(data, user), links, logFile: join(log, "postgres.log"), user, pass, binaries };
}

function openToUser(layout: Pick<Layout, "data" | "pg" | "user" | "binaries">): string[] | undefined {
  const { data, pg, user, binaries } = layout;
  const { mode, uid } = statSync(data);
  if ((mode & 0o001) === 0 && uid === 0) chmodSync(data, 0o711);
  if (existsSync(pg) && statSync(pg).uid !== user.uid) give(pg, user);
  const programs = join(binaries.native, "bin");
  const isClosed = closedFolder(data, user) !== undefined || closedFolder(programs, user) !== undefined;
  const pass = isClosed ? passCommand(user) : undefined;
  if (isClosed && !pass) {
    refuseClosed(
      data,
      user,
      (closed) => `run "chmod o+x ${closed}", or choose a data folder elsewhere, such as --data /var/lib/posthorn`,
    );
    refuseClosed(
      programs,
      user,
      (closed) => `run "chmod -R o+rX ${closed}", or move Posthorn to a folder such as /opt/posthorn`,
    );
  }
  return pass;
}

/** The mode holds whatever our umask is; a parent that is missing is made enterable by all. */
function makeFolder(path: string, mode: number): void {
  if (existsSync(path)) return;
  // What is behind a closed folder looks as if it were missing.
  refuseClosedToUs(path);
  if (!existsSync(dirname(path))) makeFolder(dirname(path), 0o755);
  try {
    mkdirSync(path);
    chmodSync(path, mode);
  } catch (error) {
    // Another start made it meanwhile.
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return;
    throw new StartError(`cannot make the folder ${path}: ${(error as Error).message}`);
  }
}

function checkMine(path: string, user: SystemUser): void {
  const uid = statSync(path, { throwIfNoEntry: false })?.uid;
  if (uid === undefined || uid === user.uid) return;
  throw new StartError(
    `${path} belongs to uid ${uid} and this is uid ${user.uid}: start as root or as that user, or run "chown -R ${user.uid}" on the data folder`,
  );
}

function give(folder: string, user: SystemUser): void {
  chownSync(folder, user.uid, user.gid);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) give(path, user);
    else if (!entry.isSymbolicLink()) chownSync(path, user.uid, user.gid);
  }
}

function makeRunFolder(data: string, user: SystemUser): string {
  const plain = join(data, "run");
  if (fits(plain)) {
    makePrivate(plain, user);
    return plain;
  }
  const remembered = readPointer(data);
  if (remembered !== undefined && fits(remembered) && tryPrivate(remembered, user)) return remembered;
  const folder = shortFolder(data, user);
  const fresh = `${pointerIn(data)}.${process.pid}`;
  writeFileSync(fresh, folder, { mode: 0o644 });
  renameSync(fresh, pointerIn(data));
  return folder;
}

function readPointer(data: string): string | undefined {
  try {
    return readFileSync(pointerIn(data), "utf8").trim();
  } catch {
    return undefined;
  }
}

function shortFolder(data: string, user: SystemUser): string {
  const name = `posthorn-${createHash("sha256").update(data).digest("hex").slice(0, 12)}`;
  const bases = [tmpdir(), "/tmp"].filter((base) => fits(join(base, `${name}-XXXXXX`)));
  for (const base of bases) if (tryPrivate(join(base, name), user)) return join(base, name);
  // Somebody else took our name in a folder that all may write to: take one that cannot be guessed.
  for (const base of bases) {
    const folder = mkdtempSync(join(base, `${name}-`));
    makePrivate(folder, user);
    return folder;
  }
  throw new StartError(`no folder with a path short enough for a socket: choose a data folder less deep than ${data}`);
}

function tryPrivate(folder: string, user: SystemUser): boolean {
  try {
    makePrivate(folder, user);
    return true;
  } catch {
    return false;
  }
}

/** A folder that only the user may enter. One that belongs to a stranger, or a link, is refused. */
function makePrivate(folder: string, user: SystemUser): void {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  const stats = lstatSync(folder);
  const ours = stats.uid === user.uid || stats.uid === process.getuid?.();
  if (!stats.isDirectory() || !ours) {
    throw new StartError(`${folder} belongs to uid ${stats.uid}, not to ${user.name}: remove it`);
  }
  if (stats.uid !== user.uid) chownSync(folder, user.uid, user.gid);
  if ((stats.mode & 0o777) !== 0o700) chmodSync(folder, 0o700);
}
