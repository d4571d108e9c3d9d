export interface Finding {
  code: string;
  state: "good" | "warn" | "bad";
  values: Record<string, string | number>;
}

export interface Latency {
  count: number;
  halfMs: number | null;
  mostMs: number | null;
}

export interface Hour {
  minutes: {
    at: string;
    in: { accepted: number; refused: number; failed: number };
    out: { sent: number; deferred: number; failed: number };
  }[];
  filed: { inbox: number; junk: number; virus: number };
  feedback: { delivery: number; complaint: number; challenge: number };
  destinations: { domain: string; sent: number; deferred: number; failed: number }[];
  api: Latency;
  push: Latency;
}

export interface QueueSums {
  counted: number;
  held: number;
  due: number;
  later: number;
  upTo1h: number;
  upTo4h: number;
  upTo24h: number;
  longer: number;
  incoming: number;
  setAside: number;
}

/** Null for a domain-admin. */
export interface OverviewAnswer {
  at: string;
  state: Finding["state"] | null;
  findings: Finding[];
  hour: Hour | null;
  queue: QueueSums | null;
}
