import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A small file system that can be filled or made read-only; only root may mount one. */
export class SmallDisk {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** Undefined if none can be mounted. */
  static mount(octets: number, folder = mkdtempSync(join(tmpdir(), "posthorn-small-"))): SmallDisk | undefined {
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", `size=${octets}`, "tmpfs", folder], { stdio: "pipe" });
    } catch {
      rmSync(folder, { recursive: true });
      process.stderr.write("no file system can be mounted here (only root may): tests of a full disk are left out\n");
      return undefined;
    }
    return new SmallDisk(folder);
  }

  dispose(): void {
    execFileSync("umount", ["-l", this.folder]);
    rmSync(this.folder, { recursive: true, force: true });
  }

  fill(): void {
    for (const size of [65_536, 4_096]) {
      try {
        for (;;) writeFileSync(join(this.folder, "filling"), Buffer.alloc(size), { flag: "a" });
      } catch (error) {
        if ((error as { code?: string }).code !== "ENOSPC") throw error;
      }
    }
  }

  empty(): void {
    rmSync(join(this.folder, "filling"), { force: true });
  }

  remount(mode: "ro" | "rw"): void {
    execFileSync("mount", ["-o", `remount,${mode}`, this.folder]);
  }
}
