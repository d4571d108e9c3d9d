import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";

test("an error is logged as one line that says what failed and where, without a stack trace", () => {
  const module = new URL("./log.ts", import.meta.url).href;
  const script = `const { createLog } = await import("${module}");
    createLog("info").warn({ err: Object.assign(new TypeError("no such thing"), { code: "ENOENT" }) }, "it failed");`;
  const { stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
  expect(stderr.trim().split("\n")).toHaveLength(1);
  const { err, msg } = JSON.parse(stderr) as { err: Record<string, string>; msg: string };
  expect({ err, msg }).toMatchObject({
    err: { type: "TypeError", message: "no such thing", code: "ENOENT" },
    msg: "it failed",
  });
  expect(err).not.toHaveProperty("stack");
  expect(err.at).not.toContain("\n");
});
