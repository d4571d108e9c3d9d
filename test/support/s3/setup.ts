import type { TestProject } from "vitest/node";
import { type CephPlace, chooseCephPlace, startCeph, stopCeph, whyNoCeph } from "./ceph.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Null when it is not installed. */
    ceph: CephPlace | null;
  }
}

/** A real S3 for the tests, where one is installed. A run of all tests starts it at once, beside the first of them. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const why = whyNoCeph();
  const ceph = why === undefined ? await chooseCephPlace() : null;
  project.provide("ceph", ceph);
  const isWhole = process.argv.slice(2).every((arg) => arg === "run" || arg.startsWith("-"));
  if (isWhole) {
    const used = ceph ? "Ceph's gateway" : `the small server of the tests. LEFT OUT: a real one (${why})`;
    process.stderr.write(`\nS3 in these tests: ${used}\n`);
  }
  if (ceph && isWhole) startCeph(ceph);
  return async () => {
    if (ceph) await stopCeph(ceph);
  };
}
