/** `npm run nightly` sets it: long soaks, more kills, far more fuzz. */
export const isNightly = process.env.POSTHORN_NIGHTLY === "1";

/** How much of something a test does: in each run, and at night. */
export const scaled = (usual: number, nightly: number): number => (isNightly ? nightly : usual);
