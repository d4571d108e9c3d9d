import type { Log } from "../../base/log.ts";
import type { Batch, Carrier, Receiver } from "../../push/carrier.ts";
import { Outbox } from "../../push/outbox.ts";
import type { Line } from "./line.ts";

/**
 * The bus between the processes of one machine: passes on what one member sends to the others, and to the carriers that
 * lead to other machines and to commands.
 */
export class Relay {
  readonly #outboxes: Map<Carrier, Outbox>;
  readonly #receivers = new Set<Receiver>();

  constructor(carriers: Carrier[], log: Log) {
    this.#outboxes = new Map(carriers.map((carrier) => [carrier, new Outbox(carrier, log)]));
  }

  async start(): Promise<void> {
    const receiver: Receiver = {
      onBatch: (batch) => this.#pass(batch, undefined),
      onUp: () => {
        for (const member of this.#receivers) member.onUp();
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

  /** Makes a carrier of this process one more member. */
  join(): Carrier {
    let own: Receiver | undefined;
    return {
      start: async (receiver) => {
        own = receiver;
        this.#receivers.add(receiver);
        receiver.onUp();
      },
      send: async (batch) => {
        this.#pass(batch, own);
        for (const outbox of this.#outboxes.values()) {
          for (const change of batch.changes) outbox.add(change);
          for (const credential of batch.revoked) outbox.add({ credential });
        }
      },
      close: async () => {
        if (own) this.#receivers.delete(own);
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
      }),
    );
    line.hear("batch", (batch: Batch) => void member.send(batch));
    line.hear("listen no more", () => void member.close());
    line.onEnd(() => void member.close());
  }

  #pass(batch: Batch, sender: Receiver | undefined): void {
    for (const receiver of this.#receivers) if (receiver !== sender) receiver.onBatch(batch);
  }
}

/** The child's end of the relay. */
export class LineCarrier implements Carrier {
  readonly #line: Line;

  constructor(line: Line) {
    this.#line = line;
  }

  async start({ onBatch, onUp }: Receiver): Promise<void> {
    this.#line.hear("batch", onBatch);
    this.#line.hear("up", onUp);
    await this.#line.ask("listen");
  }

  async send(batch: Batch): Promise<void> {
    this.#line.tell("batch", batch);
  }

  async close(): Promise<void> {
    this.#line.hear("batch", () => {});
    this.#line.tell("listen no more");
  }
}
