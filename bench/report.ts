import type { DiskRate } from "./disk.ts";
import type { Figures } from "./measure.ts";

export type Row = {
  name: string;
  title: string;
  messages: number;
  connections: number;
  target?: number;
  mayGrow: boolean;
  figures: Figures;
  /** The disk's durable writes per second just before, for scenarios that write. */
  disk?: DiskRate;
};
export type PushRow = { messages: number; figures: { p50: number; p95: number; max: number; within50: number } };

/** A progress line: rewritten on a terminal, printed every ten seconds elsewhere. */
export class Progress {
  readonly #what: string;
  readonly #goal: number;
  readonly #start = Date.now();
  #done = 0;
  #shown = 0;

  constructor(what: string, goal: number) {
    this.#what = what;
    this.#goal = goal;
  }

  tick(count: number): void {
    this.#done += count;
    const every = process.stderr.isTTY ? 200 : 10_000;
    if (Date.now() - this.#shown > every) this.#show();
  }

  #show(): void {
    this.#shown = Date.now();
    const rate = Math.round((this.#done * 1000) / Math.max(1, Date.now() - this.#start));
    const line = `${this.#what}: ${this.#done} of ${this.#goal}, ${rate} a second`;
    process.stderr.write(process.stderr.isTTY ? `\r${line}\x1b[K` : `${line}\n`);
  }

  end(): void {
    this.#show();
    if (process.stderr.isTTY) process.stderr.write("\n");
  }
}

function number(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return "-";
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

export function table(head: string[], rows: string[][]): string {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => (row[i] ?? "").length)));
  const line = (cells: string[]): string =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join("  ");
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}

/** Reads, except searches, may cost at most this many times as much in the larger mailbox. */
const growthLimit = 1.3;

export type Verdict = { growth: number | undefined; missed: boolean; grew: boolean };

/** Compares a row of the largest mailbox with its target and with the smallest mailbox. */
export function judge(row: Row, smallest: Row | undefined): Verdict {
  const [cpu, less] = [row.figures.cpu, smallest?.figures.cpu];
  const growth = cpu !== undefined && less && row !== smallest ? cpu / less : undefined;
  return {
    growth,
    missed: cpu !== undefined && row.target !== undefined && cpu > row.target,
    grew: growth !== undefined && !row.mayGrow && growth > growthLimit,
  };
}

export function printTable(rows: Row[], sizes: number[]): string {
  const [small, large] = [Math.min(...sizes), Math.max(...sizes)];
  const find = (row: Row, messages: number): Row | undefined =>
    rows.find((one) => one.name === row.name && one.connections === row.connections && one.messages === messages);
  const head = [
    ...["scenario", "conn", "target ms"],
    ...sizes.map((size) => `CPU ms at ${size}`),
    ...["database's", "growth", "per s", "p50 ms", "p95 ms", "disk writes/s (1, 8)", "verdict"],
  ];
  const lines = rows
    .filter((row) => row.messages === large)
    .map((row) => {
      const { growth, missed, grew } = judge(row, find(row, small));
      const known = row.target !== undefined && row.figures.cpu !== undefined;
      return [
        row.title,
        String(row.connections),
        number(row.target),
        ...sizes.map((size) => number(find(row, size)?.figures.cpu)),
        number(row.figures.databaseCpu),
        number(growth),
        number(row.figures.perSecond),
        number(row.figures.p50),
        number(row.figures.p95),
        row.disk ? `${number(row.disk.one)}, ${number(row.disk.eight)}` : "",
        [missed ? "over target" : known ? "ok" : "", grew ? "grows" : ""].filter(Boolean).join(", "),
      ];
    });
  return `${table(head, lines)}\nThe last columns are for ${large} messages. CPU is per request: the server's and its database's, then its database's alone.`;
}

/** The targets that are rates rather than costs. */
export function printRates(rows: Row[], pushes: PushRow[]): string {
  const lines: string[] = [];
  for (const row of rows) {
    if (row.connections !== 8 || !row.disk) continue;
    if (row.name === "import") {
      const goal = Math.min(80, row.disk.eight / 3);
      lines.push(rate(row, "imports", goal, "80, or a third of the disk's rate with 8 writers"));
    }
    if (row.name === "smtp") lines.push(rate(row, "messages from SMTP to the inbox", 100, "100"));
  }
  for (const { messages, figures } of pushes) {
    const share = `${(figures.within50 * 100).toFixed(1)}% within 50 ms of the 250`;
    const verdict = figures.within50 >= 0.95 ? "ok" : "missed: 95% wanted";
    const times = `p50 ${number(figures.p50)}, p95 ${number(figures.p95)}, max ${number(figures.max)} ms`;
    lines.push(`${messages} messages: push ${times}; ${share} (${verdict})`);
  }
  return lines.join("\n");
}

function rate(row: Row, what: string, goal: number, why: string): string {
  const disk = `disk ${number(row.disk?.one)} and ${number(row.disk?.eight)} durable writes/s with 1 and 8 writers`;
  const verdict = row.figures.perSecond >= goal ? "ok" : "missed";
  return `${row.messages} messages: ${number(row.figures.perSecond)} ${what} a second, target ${number(goal)} (${why}): ${verdict}; ${disk}`;
}
