import type { Random } from "../../bench/random.ts";
import type { Installation } from "./installation.ts";
import { Ledger } from "./ledger.ts";
import { Samples } from "./samples.ts";

/** What all that makes traffic shares. */
export interface World {
  installation: Installation;
  ledger: Ledger;
  samples: Samples;
  random: Random;
  /** A name that nothing else has. */
  name(kind: string): string;
  /** Emails that are being changed. */
  busy: Set<string>;
  lastFlag: number;
  /** The last draft of each user, which the next one may replace. */
  drafts: Map<string, { id: string; subject: string }>;
}

export function createWorld(installation: Installation, random: Random): World {
  const start = Date.now().toString(36);
  let names = 0;
  return {
    installation,
    ledger: new Ledger(),
    samples: new Samples(),
    random,
    name: (kind) => `${kind}-${start}-${++names}`,
    busy: new Set(),
    lastFlag: 0,
    drafts: new Map(),
  };
}
