/** A range of hashes and the group of nodes (a primary and its standbys) that holds the accounts in it. */
export interface ShardRange {
  min: number;
  max: number;
  group: number;
}

/** The group that holds an account; undefined if none does. `ranges` are in ascending order. */
export function groupOf(ranges: readonly ShardRange[], accountId: number): number | undefined {
  const hash = hashOf(accountId);
  let [low, high] = [0, ranges.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    const { min, max, group } = ranges[middle]!;
    if (hash < min) high = middle - 1;
    else if (hash > max) low = middle + 1;
    else return group;
  }
  return undefined;
}

const rotated = (bits: number, by: number) => (bits << by) | (bits >>> (32 - by));

/** Postgres's hashint8, by which Citus distributes accounts. `accountId` is not negative. */
export function hashOf(accountId: number): number {
  const low = accountId % 2 ** 32;
  const high = Math.floor(accountId / 2 ** 32);
  // hash_uint32: Bob Jenkins's final mix of lookup3, over one word.
  const start = (0x9e3779b9 + 4 + 3923095) | 0;
  let [a, b, c] = [(start + (low ^ high)) | 0, start, start];
  c = ((c ^ b) - rotated(b, 14)) | 0;
  a = ((a ^ c) - rotated(c, 11)) | 0;
  b = ((b ^ a) - rotated(a, 25)) | 0;
  c = ((c ^ b) - rotated(b, 16)) | 0;
  a = ((a ^ c) - rotated(c, 4)) | 0;
  b = ((b ^ a) - rotated(a, 14)) | 0;
  return ((c ^ b) - rotated(b, 24)) | 0;
}
