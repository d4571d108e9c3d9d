import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import LongestFirst from "./scripts/longest-first.ts";
import { isNightly } from "./test/support/scale.ts";

/** On Citus each statement takes several times as long. */
const slowness = process.env.CITUS_URL === undefined ? 1 : 4;
// Test processes and the servers that they start compile the same files.
process.env.NODE_COMPILE_CACHE ??= fileURLToPath(new URL("node_modules/.cache/compile", import.meta.url));

const common = {
  pool: "forks" as const,
  // Node runs the files as it runs the server's.
  experimental: { viteModuleRunner: false, nodeLoader: false },
  testTimeout: isNightly ? 3_600_000 : slowness * 30_000,
  hookTimeout: slowness * 60_000,
  // What comes at once on a quiet machine may take seconds on another.
  expect: { poll: { timeout: 10_000 } },
};

export default defineConfig({
  test: {
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    globalSetup: "./test/support/global-setup.ts",
    reporters: ["default", "./scripts/summary-reporter.ts"],
    coverage: {
      provider: "v8",
      include: ["src/**/*.ts"],
      exclude: ["**/*.test.ts", "**/testing.ts"],
      reporter: ["text-summary", "html"],
    },
    projects: [
      {
        test: {
          ...common,
          name: "posthorn",
          globalSetup: ["./test/support/postgres-setup.ts", "./test/support/s3/setup.ts"],
          include: ["src/**/*.test.ts", "test/**/*.test.ts", "scripts/**/*.test.ts", "conformance/**/*.test.ts"],
          exclude: ["test/statements.test.ts", "test/beside/**", "test/alone/**"],
          sequence: { groupOrder: 0 },
        },
      },
      {
        // The inbox in a real browser.
        test: {
          ...common,
          name: "web",
          globalSetup: ["./test/support/postgres-setup.ts", "./web/test/setup.ts"],
          include: ["web/test/*.test.ts"],
          sequence: { groupOrder: 1 },
        },
      },
      {
        // Each waits much, and starts several processes.
        test: {
          ...common,
          name: "beside",
          globalSetup: "./test/support/postgres-setup.ts",
          include: ["test/beside/*.test.ts"],
          sequence: { groupOrder: 2 },
        },
      },
      {
        // Each wants the machine for itself.
        test: {
          ...common,
          name: "alone",
          include: ["test/alone/*.test.ts"],
          fileParallelism: false,
          sequence: { groupOrder: 3 },
        },
      },
      {
        // Judges the statements that all the others ran.
        test: {
          ...common,
          name: "statements",
          globalSetup: "./test/support/postgres-setup.ts",
          include: ["test/statements.test.ts"],
          sequence: { groupOrder: 4 },
        },
      },
    ],
  },
});
