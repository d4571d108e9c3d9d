/** One thing that was looked at. */
export interface Checked {
  /** Such as "MX", "SPF", "reverse DNS" or "port 25". */
  record: string;
  /** Its name in DNS without the final dot, or the address that was tried. */
  name: string;
  /** "unknown" is what gave no answer. */
  state: "right" | "missing" | "wrong" | "unknown";
  /** What stands there. */
  found: string[];
  /** The line to publish, as in a zone's file; null if there is none. */
  expected: string | null;
  /** How to mend it; null if it is right. */
  advice: string | null;
  /** Whether mail suffers without it. */
  needed: boolean;
}

/** Whether nothing that is needed is amiss. */
export function isWhole(all: readonly Checked[]): boolean {
  return all.every(({ state, needed }) => state === "right" || !needed);
}
