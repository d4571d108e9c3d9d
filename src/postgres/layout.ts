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

/** The paths and the user of one data folder. */
export interface Layout {
  data: string;
  /** The database's own folder. */
  pg: string;
  /** Folder of the server's socket. */
  run: string;
  links: string;
  logFile: string;
  user: SystemUser;
  /** Command prefix for the programs, where the user may not enter a folder on the way to them. */
  pass: string[] | undefined;
  binaries: Binaries;
}

/** The kernel allows 108 bytes (104 on macOS), and Postgres needs a few of them. */
const maxSocketBytes = 99;
const port = 5432;

const socketIn = (folder: string) => join(folder, `.s.PGSQL.${port}`);
const fits = (folder: string) => Buffer.byteLength(socketIn(folder)) <= maxSocketBytes;
/** The file that names the socket's folder when the path of `run` would be too long. */
const pointerIn = (data: string) => join(data, "run.path");

/** The folder of the socket, or undefined if no server was ever started on this data folder. */
export function existingRunFolder(dataFolder: string): string | undefined {
  const data = resolve(dataFolder);
  if (!existsSync(data)) return undefined;
  const real = realpathSync(data);
  const plain = join(real, "run");
  if (fits(plain)) return existsSync(plain) ? plain : undefined;
  return readPointer(real);
}

export function connectionTo(run: string) {
  // The port is given because PGPORT in the environment would otherwise choose another socket.
  return { host: run, port, user: "posthorn", database: "posthorn" };
}

/** Creates the missing folders, with the owners and modes that Postgres needs. */
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

/** Applies the mode whatever the umask is. Missing parents are created so that everybody may enter them. */
function makeFolder(path: string, mode: number): void {
  if (existsSync(path)) return;
  // A path behind a closed folder looks as if it did not exist.
  refuseClosedToUs(path);
  if (!existsSync(dirname(path))) makeFolder(dirname(path), 0o755);
  try {
    mkdirSync(path);
    chmodSync(path, mode);
  } catch (error) {
    // Another start created it in the meantime.
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return;
    throw new StartError(`cannot create the folder ${path}: ${(error as Error).message}`);
  }
}

function checkMine(path: string, user: SystemUser): void {
  const uid = statSync(path, { throwIfNoEntry: false })?.uid;
  if (uid === undefined || uid === user.uid) return;
  throw new StartError(
    `${path} belongs to uid ${uid} but this process runs as uid ${user.uid}: start as root or as that user, or run "chown -R ${user.uid}" on the data folder`,
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
  // Another user took this name in a folder that everybody may write to: use a name that cannot be guessed.
  for (const base of bases) {
    const folder = mkdtempSync(join(base, `${name}-`));
    makePrivate(folder, user);
    return folder;
  }
  throw new StartError(
    `no folder has a path short enough for a socket: choose a data folder with a shorter path than ${data}`,
  );
}

function tryPrivate(folder: string, user: SystemUser): boolean {
  try {
    makePrivate(folder, user);
    return true;
  } catch {
    return false;
  }
}

/** Creates a folder that only the user may enter. Throws if it is a link or belongs to somebody else. */
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
