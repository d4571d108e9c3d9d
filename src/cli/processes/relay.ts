import type { Log } from "../../base/log.ts";
import type { Batch, Carrier, Receiver, Topic } from "../../push/carrier.ts";
import { Outbox } from "../../push/outbox.ts";
import type { Line } from "./line.ts";

/** A process of this machine. */
interface Member {
  /** Undefined while it only sends. */
  receiver: Receiver | undefined;
  /** What it is told of, besides revocations. */
  topics: Set<Topic>;
}

/**
 * The bus between the processes of one machine: passes on what one member sends to the others that follow it, and to the
 * carriers that lead to other machines and to commands. These are asked for what any member follows.
 */
export class Relay {
  readonly #outboxes: Map<Carrier, Outbox>;
  readonly #members = new Set<Member>();
  /** How many members follow each topic, and since when its events arrive. */
  readonly #followed = new Map<Topic, { count: number; heard: Promise<void> }>();

  constructor(carriers: Carrier[], log: Log) {
    this.#outboxes = new Map(carriers.map((carrier) => [carrier, new Outbox(carrier, log)]));
  }

  async start(): Promise<void> {
    const receiver: Receiver = {
      onBatch: (batch) => this.#pass(batch, undefined),
      onUp: () => {
        for (const member of this.#members) member.receiver?.onUp();
      },
      onDown: () => {
        for (const member of this.#members) member.receiver?.onDown();
      },
      onGap: () => {
        for (const member of this.#members) member.receiver?.onGap?.();
      },
    };
    await Promise.all([...this.#outboxes.keys()].map((carrier) => carrier.start(receiver)));
  }

  async close(): Promise<void> {
    await Promise.all(
      [...this.#outboxes].map(async ([carrier, outbox]) => {
        await outbox.close();
        await carrier.close();
      }),
    );
  }

  /** Makes the user of the carrier one more member, until it closes the carrier. */
  join(): Required<Pick<Carrier, "follow" | "unfollow">> & Carrier {
    const member: Member = { receiver: undefined, topics: new Set() };
    this.#members.add(member);
    return {
      start: async (receiver) => {
        member.receiver = receiver;
        receiver.onUp();
      },
      send: async (batch) => {
        this.#pass(batch, member);
        for (const [carrier, outbox] of this.#outboxes) {
          for (const credential of batch.revoked) outbox.add({ credential });
          if (carrier.isForRevocations) continue;
          for (const change of batch.changes) outbox.add(change);
          if (batch.queued) outbox.add({ queued: "submissions" });
          for (const watched of batch.watched) outbox.add({ watched });
        }
      },
      follow: async (topic) => {
        if (!member.topics.has(topic)) this.#count(topic, 1);
        member.topics.add(topic);
        await this.#followed.get(topic)?.heard;
      },
      unfollow: (topic) => {
        if (member.topics.delete(topic)) this.#count(topic, -1);
      },
      close: async () => {
        for (const topic of member.topics) this.#count(topic, -1);
        member.topics.clear();
        this.#members.delete(member);
      },
    };
  }

  /** Makes a child a member until it ends. */
  serve(line: Line): void {
    const member = this.join();
    line.hear("listen", () =>
      member.start({
        onBatch: (batch) => line.tell("batch", batch),
        onUp: () => line.tell("up"),
        onDown: () => line.tell("down"),
        onGap: () => line.tell("gap"),
      }),
    );
    line.hear("batch", (batch: Batch) => void member.send(batch));
    line.hear("follow", member.follow);
    line.hear("unfollow", member.unfollow);
    line.hear("listen no more", () => void member.close());
    line.onEnd(() => void member.close());
  }

  #count(topic: Topic, more: 1 | -1): void {
    const known = this.#followed.get(topic);
    const carriers = [...this.#outboxes.keys()];
    if (known) known.count += more;
    else {
      const heard = Promise.all(carriers.map((carrier) => carrier.follow?.(topic))).then(() => {});
      heard.catch(() => {});
      this.#followed.set(topic, { count: 1, heard });
    }
    if (known?.count !== 0) return;
    this.#followed.delete(topic);
    for (const carrier of carriers) carrier.unfollow?.(topic);
  }

  #pass({ changes, revoked, queued, watched }: Batch, sender: Member | undefined): void {
    for (const member of this.#members) {
      if (member === sender || !member.receiver) continue;
      const { receiver, topics } = member;
      const followed = changes.filter(({ accountId }) => topics.has(accountId));
      const isQueued = queued && topics.has("queued");
      const batch: Batch = {
        ...{ changes: followed, revoked, queued: isQueued },
        watched: topics.has("watched") ? watched : [],
      };
      const isEmpty = followed.length === 0 && revoked.length === 0 && !isQueued && batch.watched.length === 0;
      if (!isEmpty) receiver.onBatch(batch);
    }
  }
}

/** The child's end of the relay. */
export class LineCarrier implements Carrier {
  readonly #line: Line;

  constructor(line: Line) {
    this.#line = line;
  }

  async start({ onBatch, onUp, onDown, onGap }: Receiver): Promise<void> {
    this.#line.hear("batch", onBatch);
    this.#line.hear("up", onUp);
    this.#line.hear("down", onDown);
    this.#line.hear("gap", () => onGap?.());
    await this.#line.ask("listen");
  }

  async send(batch: Batch): Promise<void> {
    this.#line.tell("batch", batch);
  }

  follow(topic: Topic): Promise<void> {
    // Without a parent, this process ends.
    return this.#line.ask<void>("follow", topic).catch(() => {});
  }

  unfollow(topic: Topic): void {
    this.#line.tell("unfollow", topic);
  }

  async close(): Promise<void> {
    this.#line.hear("batch", () => {});
    this.#line.tell("listen no more");
  }
}
