import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { passCommand, postgresUser } from "./system-user.ts";

test.runIf(process.getuid?.() === 0)(
  "programs in a folder closed to the database's user are found by access(2)",
  () => {
    const folder = mkdtempSync(join(tmpdir(), "posthorn-closed-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const program = join(folder, "program");
    writeFileSync(program, "");
    chmodSync(program, 0o755);
    const look = [process.execPath, "-e", "fs.accessSync(process.argv[1], fs.constants.X_OK)", program];
    const [command, ...args] = [...passCommand(postgresUser(0))!, ...look];
    expect(() => execFileSync(command!, args, { stdio: "pipe" })).not.toThrow();
  },
);
