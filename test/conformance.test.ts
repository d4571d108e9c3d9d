import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { RunResult } from "../conformance/runner/result.ts";
import { tests } from "../conformance/tests.ts";
import { type ConformanceRig, startConformanceRig } from "./support/conformance-rig.ts";
import { isMix, startSystem } from "./support/mix.ts";

/** Tests of what this server cannot do by design. */
const skipped = [
  "rfc8620/3.6.2/account-read-only/MUST",
  "rfc8620/3.6.2/account-not-supported/MUST",
  "rfc8620/5.4/already-exists/MUST",
  "rfc8620/5.6/cannot-calculate/MUST",
];
let rig: ConformanceRig;

beforeAll(
  async () => {
    rig = await startConformanceRig(startSystem);
  },
  isMix ? 300_000 : 120_000,
);
afterAll(() => rig?.dispose());

test(
  "every MUST and every SHOULD holds",
  async () => {
    const file = join(rig.folder, "result.json");
    const { code, output } = await rig.runSuite(["--config", rig.configFile, "--json", file]);
    expect(existsSync(file), output).toBe(true);
    const { results } = JSON.parse(readFileSync(file, "utf8")) as RunResult;
    const unmet = results.filter(({ level, outcome }) => level !== "MAY" && outcome !== "pass");
    const unforeseen = unmet.filter(({ name, outcome }) => outcome !== "skip" || !skipped.includes(name));
    expect(unforeseen.map(({ name, outcome, message }) => `${outcome} ${name}: ${message}`)).toEqual([]);
    expect(code, output).toBe(0);
    // All tests ran, and the list above is complete and current.
    expect(results.length).toBe(tests.length);
    expect(unmet).toHaveLength(skipped.length);
  },
  isMix ? 1_200_000 : 300_000,
);
