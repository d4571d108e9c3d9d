import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));

function run(script: string, option: string): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [script, option], { cwd: root }, (_, stdout, stderr) =>
      resolve({ code: child.exitCode, stdout, stderr }),
    );
  });
}

test.each(["bench/main.ts", "bench/compare.ts", "scripts/conformance-report.ts"])(
  "%s answers an unknown option with one line and its help",
  async (script) => {
    const { stdout: help } = await run(script, "--help");
    expect(help.length).toBeGreaterThan(100);
    expect(await run(script, "--bogus")).toEqual({
      code: 2,
      stdout: "",
      stderr: `Unknown option '--bogus'\n\n${help}`,
    });
  },
);
