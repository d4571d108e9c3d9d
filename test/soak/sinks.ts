import type { Random } from "../../bench/random.ts";
import type { Zone } from "../support/dns.ts";
import { type Rule, type SmtpSink, startSink } from "../support/smtp-sink.ts";

/** What the servers of a domain do to mail, each now and then. */
type Habit = (random: Random) => Rule[];

const sometimes = (random: Random, share: number) => () => random() < share;
/** Each address the first time. */
function firstTime() {
  const seen = new Set<string>();
  return ([address]: string[]) => {
    const isNew = !seen.has(address!);
    seen.add(address!);
    return isNew;
  };
}

/** The habit of each domain, NAME.test. */
export const habits = {
  good: () => [],
  refuses: () => [{ stage: "rcpt", address: /^gone-/, reply: "550 5.1.1 no such user" }],
  defers: (random) => [{ stage: "data", when: sometimes(random, 0.3), reply: "451 4.3.0 later" }],
  greylists: () => [{ stage: "rcpt", when: firstTime(), reply: "451 4.7.1 greylisted, come back" }],
  limits: () => [{ stage: "rcpt", when: (_, taken) => taken >= 2, reply: "452 4.5.3 too many recipients" }],
  brakes: (random) => [{ stage: "mail", when: sometimes(random, 0.01), reply: "421 4.7.0 too fast" }],
  delays: (random) => [
    { stage: "rcpt", when: sometimes(random, 0.2), delayMs: 150 },
    { stage: "data", when: sometimes(random, 0.2), delayMs: 400 },
  ],
  cuts: (random) => [
    { stage: "data", when: sometimes(random, 0.1), isAmid: true },
    { stage: "data", when: sometimes(random, 0.1), drop: true },
    { stage: "rcpt", when: sometimes(random, 0.05), drop: true },
  ],
  breakstls: (random) => [{ stage: "tls", when: sometimes(random, 0.2), drop: true }],
  /** The two after which nobody can know: the mail is kept, and its sender is not told. */
  hangsup: (random) => [{ stage: "data", when: sometimes(random, 0.1), drop: true, store: true }],
  lies: (random) => [{ stage: "data", when: sometimes(random, 0.1), reply: "451 4.3.0 not stored", store: true }],
} satisfies Record<string, Habit>;
export type Domain = keyof typeof habits;
export const domains = Object.keys(habits) as Domain[];
/** Mail to these may come twice through no fault of ours. */
export const untruthful: readonly Domain[] = ["hangsup", "lies"];

/** A server for each domain, all on one port, at addresses of their own. */
export class Sinks {
  readonly port: number;
  readonly zone: Zone;
  /** How often each did what it does. */
  readonly misdeeds = new Map<Domain, number>();
  readonly #all: ReadonlyMap<Domain, SmtpSink>;

  private constructor(all: ReadonlyMap<Domain, SmtpSink>) {
    this.#all = all;
    this.port = all.get("good")!.port;
    this.zone = Object.fromEntries(
      [...all].flatMap(([domain, { host }]) => [
        [`${domain}.test`, { MX: { preference: 10, exchange: `mx.${domain}.test` } }],
        [`mx.${domain}.test`, { A: host }],
      ]),
    );
  }

  static async start(random: Random): Promise<Sinks> {
    const all = new Map<Domain, SmtpSink>();
    for (const [at, domain] of domains.entries()) {
      const first = all.get("good");
      const pems = first?.pems;
      const place = { host: `127.0.1.${at + 1}`, port: first?.port ?? 0 };
      all.set(domain, await startSink({ ...place, name: `mx.${domain}.test`, ...(pems && { pems }) }));
    }
    const sinks = new Sinks(all);
    for (const domain of domains) sinks.#program(domain, random);
    return sinks;
  }

  /** A rule is counted when it is applied. */
  #program(domain: Domain, random: Random): void {
    const rules: Rule[] = habits[domain](random);
    for (const rule of rules) {
      const holds = (addresses: string[], taken: number): boolean => {
        if (rule.when?.(addresses, taken) === false) return false;
        this.misdeeds.set(domain, (this.misdeeds.get(domain) ?? 0) + 1);
        return true;
      };
      this.#all.get(domain)!.program({ ...rule, when: holds });
    }
  }

  /** When each recipient's mail was stored: the sinks' own journal. */
  stored(): Map<string, number[]> {
    const all = [...this.#all.values()].flatMap(({ messages }) => messages);
    const copies = all.flatMap(({ to, at }) => to.map((address) => ({ address, at })));
    const times = Map.groupBy(copies, ({ address }) => address);
    return new Map([...times].map(([address, some]) => [address, some.map(({ at }) => at)]));
  }

  get transactions(): number {
    const count = (sink: SmtpSink) => sink.attempts.filter(({ stage }) => stage === "mail").length;
    return [...this.#all.values()].reduce((sum, sink) => sum + count(sink), 0);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#all.values()].map((sink) => sink.stop()));
  }
}
