import {
  accessSync,
  constants,
  existsSync,
  lstatSync,
  readFileSync,
  readlinkSync,
  type Stats,
  statSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { StartError } from "./start-error.ts";

/** The user that Postgres runs as. */
export interface SystemUser {
  name: string;
  uid: number;
  gid: number;
}

/** Postgres refuses to run as root, so root runs it as the first of these users that exists. */
const candidates = ["posthorn", "nobody", "daemon"];

function passwd(): SystemUser[] {
  return readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .map((line) => line.split(":"))
    .filter((fields) => fields.length >= 4)
    .map(([name, , uid, gid]) => ({ name: name ?? "", uid: Number(uid), gid: Number(gid) }));
}

/** The user for a database that belongs to `owner`, or that will be created in a folder of `owner`. */
export function postgresUser(owner: number): SystemUser {
  const uid = process.getuid?.() ?? 0;
  if (uid !== 0) return { name: `uid ${uid}`, uid, gid: process.getgid?.() ?? uid };
  const users = passwd();
  // Postgres also refuses a uid without a passwd entry, such as the owner of a folder from another machine.
  const known = users.find((user) => user.uid === owner && owner !== 0);
  if (known) return known;
  for (const name of candidates) {
    const user = users.find((entry) => entry.name === name && entry.uid !== 0);
    if (user) return user;
  }
  throw new StartError(
    `Postgres refuses to run as root and none of the users ${candidates.join(", ")} exists: run "useradd --system posthorn"`,
  );
}

/** The first folder on the way down to `path` that the user may not enter. */
export function closedFolder(path: string, user: SystemUser): string | undefined {
  return parents(path).find((folder) => !mayEnter(statSync(folder), user));
}

/** Throws if this process may not enter `path` or a folder on the way down to it. */
export function refuseClosedToUs(path: string): void {
  const closed = closedToUs(path);
  if (closed === undefined) return;
  const way = closed === path ? "" : ` on the way to ${path}`;
  throw new StartError(
    `this process runs as uid ${process.getuid?.()}, which may not enter ${describe(closed)}${way}: start as its owner or as root, ` +
      `run "chmod o+x ${closed}", or choose a data folder elsewhere with --data`,
  );
}

/** Asks the system, because modes alone do not show groups, access lists and capabilities. */
function closedToUs(path: string): string | undefined {
  for (const folder of parents(path)) {
    try {
      accessSync(folder, constants.X_OK);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EACCES") return undefined;
      const stats = lstatSync(folder);
      if (stats.isSymbolicLink()) return closedToUs(resolve(dirname(folder), readlinkSync(folder)));
      return stats.isDirectory() ? folder : undefined;
    }
  }
  return undefined;
}

/** Capabilities that let a process through closed folders, with their bits; the weaker one first. */
const passes = [
  ["dac_read_search", 2],
  ["dac_override", 1],
] as const;

/** The bit of CAP_SETPCAP, which setting "securebits" needs. */
const setPcap = 8;

/**
 * The command prefix that runs a program as the user but lets it through folders closed to that user, such as a 0700 /root.
 * The program keeps one capability, which also counts for access(2), with which Postgres looks for its own programs.
 * Undefined if there is no `setpriv`, or if this process has no such capability.
 */
export function passCommand({ uid, gid }: SystemUser): string[] | undefined {
  const setpriv = (process.env.PATH ?? "").split(":").map((folder) => join(folder, "setpriv"));
  const program = setpriv.find((path) => existsSync(path));
  const status = existsSync("/proc/self/status") ? readFileSync("/proc/self/status", "utf8") : "";
  const held = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0"}`);
  const holds = (bit: number) => ((held >> BigInt(bit)) & 1n) === 1n;
  const pass = passes.find(([, bit]) => holds(bit))?.[0];
  if (!program || !pass || !holds(setPcap)) return undefined;
  const caps = `-all,+${pass}`;
  return [
    program,
    `--reuid=${uid}`,
    `--regid=${gid}`,
    "--clear-groups",
    "--securebits=+no_setuid_fixup",
    `--inh-caps=${caps}`,
    `--ambient-caps=${caps}`,
    "--",
  ];
}

/** Throws if a folder on the way to `path` is closed to the user. `fix` says what to do about that folder. */
export function refuseClosed(path: string, user: SystemUser, fix: (closed: string) => string): void {
  const closed = closedFolder(path, user);
  if (closed === undefined) return;
  throw new StartError(
    `Postgres runs as the user ${user.name}, which may not enter ${describe(closed)} on the way to ${path}: ${fix(closed)}`,
  );
}

function describe(folder: string): string {
  return `${folder} (mode ${(statSync(folder).mode & 0o7777).toString(8).padStart(4, "0")})`;
}

function parents(path: string): string[] {
  const up = dirname(path);
  return up === path ? [path] : [...parents(up), path];
}

function mayEnter(stats: Stats, user: SystemUser): boolean {
  if (stats.uid === user.uid) return (stats.mode & 0o100) !== 0;
  if (stats.gid === user.gid) return (stats.mode & 0o010) !== 0;
  return (stats.mode & 0o001) !== 0;
}
