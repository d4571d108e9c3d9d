/** `npm run nightly` sets it: long soaks, more kills, far more fuzz. */
export const isNightly = process.env.POSTHORN_NIGHTLY === "1";

/** Picks an amount: the first for each run, the second for `npm run nightly`. */
export const scaled = (usual: number, nightly: number): number => (isNightly ? nightly : usual);
