import { defineConfig } from "vitest/config";

const common = { pool: "forks" as const, testTimeout: 30_000, hookTimeout: 60_000 };

export default defineConfig({
  test: {
    maxWorkers: 2,
    globalSetup: "./test/support/global-setup.ts",
    reporters: ["default", "./scripts/summary-reporter.ts"],
    projects: [
      {
        test: {
          ...common,
          name: "posthorn",
          globalSetup: "./test/support/postgres-setup.ts",
          include: ["src/**/*.test.ts", "test/**/*.test.ts", "scripts/**/*.test.ts", "conformance/**/*.test.ts"],
          exclude: ["test/statements.test.ts", "test/kill.test.ts"],
          sequence: { groupOrder: 0 },
        },
      },
      {
        // Wants the machine for itself.
        test: { ...common, name: "kill", include: ["test/kill.test.ts"], sequence: { groupOrder: 1 } },
      },
      {
        // Judges the statements that all the others ran.
        test: {
          ...common,
          name: "statements",
          globalSetup: "./test/support/postgres-setup.ts",
          include: ["test/statements.test.ts"],
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
