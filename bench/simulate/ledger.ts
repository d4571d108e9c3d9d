import { Delays } from "./delays.ts";

export const binSeconds = 900;

/** What happened in a quarter of an hour, for the chart. */
export type Bin = {
  /** Mails that were offered for the first time, by region. */
  offered: number[];
  delays: Delays;
  /** The most that waited at any time: accepted and not delivered, refused and with their senders, between regions. */
  queued: number;
  refused: number;
  between: number;
};

/** Where every mail is, counted. */
export class Ledger {
  offered = 0;
  accepted = 0;
  delivered = 0;
  /** Answers 451, or none: a mail may have several. */
  refusals = 0;
  /** Mails that were refused at least once. */
  delayed = 0;
  /** Refused, and with their senders, who will offer them again. */
  withSenders = 0;
  /** In our own queue for another region, which can't be reached. */
  between = 0;
  requests = 0;
  requestsFailed = 0;
  /** Of users away from home while their region is cut off, answered by its replica where they are. */
  requestsReadOnly = 0;
  readonly delays = new Delays();
  readonly bins: Bin[];
  /** The longest queue of accepted mail. */
  mostQueued = 0;

  constructor(seconds: number, regionCount: number) {
    this.bins = Array.from({ length: Math.ceil(seconds / binSeconds) }, () => ({
      offered: Array.from({ length: regionCount }, () => 0),
      delays: new Delays(),
      queued: 0,
      refused: 0,
      between: 0,
    }));
  }

  bin(at: number): Bin {
    return this.bins[Math.min(this.bins.length - 1, Math.floor(at / binSeconds))]!;
  }

  offer(count: number, at: number, region: number): void {
    this.offered += count;
    const { offered } = this.bin(at);
    offered[region] = (offered[region] ?? 0) + count;
  }

  deliver(count: number, seconds: number, at: number): void {
    this.delays.add(seconds, count);
    this.bin(at).delays.add(seconds, count);
  }

  watch(at: number, queued: number): void {
    const bin = this.bin(at);
    bin.queued = Math.max(bin.queued, queued);
    bin.refused = Math.max(bin.refused, this.withSenders);
    bin.between = Math.max(bin.between, this.between);
    this.mostQueued = Math.max(this.mostQueued, queued);
  }

  /** Mails that are nowhere, which must be none: accepted = delivered + queued, offered = accepted + still outside. */
  lost(queued: number): number {
    return (
      Math.abs(this.accepted - this.delivered - queued) +
      Math.abs(this.offered - this.accepted - this.withSenders - this.between)
    );
  }
}
