/** Student's t for a two-sided 90% interval, by degrees of freedom from 1; beyond the list, the normal 1.645 is close. */
const t90 = [6.314, 2.92, 2.353, 2.132, 2.015, 1.943, 1.895, 1.86, 1.833, 1.812, 1.796, 1.782, 1.771, 1.761, 1.753];

export type Ratio = { median: number; low: number; high: number; pairs: number };

/** Compares new with old, pair by pair: the median ratio, and the 90% interval of the mean of the ratios' logarithms. */
export function ratioOf(pairs: readonly { old: number; new: number }[]): Ratio {
  const logs = pairs.map((pair) => Math.log(pair.new / pair.old)).sort((a, b) => a - b);
  const n = logs.length;
  const mean = logs.reduce((sum, one) => sum + one, 0) / n;
  const variance = logs.reduce((sum, one) => sum + (one - mean) ** 2, 0) / Math.max(1, n - 1);
  const reach = (t90[n - 2] ?? 1.645) * Math.sqrt(variance / n);
  const middle = (logs[Math.floor((n - 1) / 2)]! + logs[Math.floor(n / 2)]!) / 2;
  return { median: Math.exp(middle), low: Math.exp(mean - reach), high: Math.exp(mean + reach), pairs: n };
}

/** Whether new is conclusively slower: even the low end of the interval is over the limit. */
export const isSlower = ({ low }: Ratio, limit: number): boolean => low > limit;
