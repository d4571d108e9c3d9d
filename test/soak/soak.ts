import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { cpuMs } from "../../bench/cpu.ts";
import { generator, type Random } from "../../bench/random.ts";
import { type Client, one } from "../../conformance/client/client.ts";
import { SmtpConnection, SmtpFailure } from "../../conformance/client/smtp.ts";
import type { GetResult, SetResult } from "../../conformance/client/types.ts";
import type { Admin } from "../../src/admin/admin.ts";
import { type Accounts, auditQueues } from "../../src/admin/queue-audit.ts";
import { listIncoming } from "../../src/admin/queue-list.ts";
import { silentLog } from "../../src/base/log.ts";
import { Database } from "../../src/store/core/database.ts";
import { Store } from "../../src/store/core/store.ts";
import { testAdmin } from "../support/admin.ts";
import { type DnsServer, startDns } from "../support/dns.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { workersOf } from "./processes.ts";
import { type Domain, domains, Sinks, untruthful } from "./sinks.ts";

export interface SoakOptions {
  /** Mails in, and as many recipients out. */
  mails: number;
  seed: number;
  /** Of the text of a mail. */
  octets: number;
  /** SIGKILLs of the server's processes, spread over the traffic. */
  kills: number;
}

/** What was sent, and what became of it. Each mail has its name as its subject or as its recipient. */
type Outcome = "acknowledged" | "unknown";

export interface Figures {
  problems: string[];
  /** More than one copy, since whoever sent it was not told that it was taken: the window that SMTP leaves. */
  doubled: { in: number; out: number };
  accounts: Accounts;
  /** Times are in seconds, from the first mail on. */
  sentIn: number;
  sentOut: number;
  settled: number;
  cpuMsPerMail: number;
  /** Of one process, in MB: the most over the first and the last third of the traffic, and over all. */
  memory: { first: number; last: number; most: number };
  kills: number;
  /** Tries of peers to send a mail in, and transactions that the sinks were asked for. */
  tries: { in: number; out: number };
  misdeeds: Record<string, number>;
}

const address = "user@home.test";
const password = "a long password";
const connectionsIn = 6;
const submittersOut = 3;
const line = `${"Hello. ".repeat(10)}\r\n`;
const perSubmission = 4;
const perRequest = 10;
/** After a server's reply, until it is recorded. */
const windowMs = 3_000;
const maxSettleMs = 20 * 60_000;
/** The audit leaves out what was accepted in the last minute. */
const auditAheadMs = 120_000;

/** Sends mail in and out while processes are killed, waits until all is settled, and accounts for each mail. */
export class Soak {
  readonly #options: SoakOptions;
  readonly #random: Random;
  readonly #mailIn = new Map<string, Outcome>();
  /** By recipient. */
  readonly #mailOut = new Map<string, Outcome>();
  /** In which another try may have been taken as well. */
  readonly #retriedIn = new Set<string>();
  readonly #rss: number[] = [];
  /** When. */
  readonly #kills: number[] = [];
  readonly #text: string;
  #triesIn = 0;
  #sinks!: Sinks;
  #dns!: DnsServer;
  #server!: TestServer;

  private constructor(options: SoakOptions) {
    this.#options = options;
    this.#random = generator(options.seed);
    this.#text = line.repeat(Math.ceil(options.octets / line.length));
  }

  static async run(options: SoakOptions): Promise<Figures> {
    const soak = new Soak(options);
    try {
      await soak.#start();
      return await soak.#run();
    } finally {
      await soak.#server?.dispose();
      await soak.#dns?.stop();
      await soak.#sinks?.stop();
    }
  }

  async #start(): Promise<void> {
    this.#sinks = await Sinks.start(this.#random);
    this.#dns = await startDns(this.#sinks.zone);
    this.#server = await startServer({
      isEmbedded: true,
      startTimeoutMs: 110_000,
      env: {
        POSTHORN_WORKERS: "2",
        POSTHORN_RESOLVER: this.#dns.address,
        POSTHORN_MX_PORT: String(this.#sinks.port),
        POSTHORN_ALLOW_PRIVATE_TARGETS: "true",
        POSTHORN_DEMO: "false",
        POSTHORN_RETRY_SCHEDULE: "1s,1s,2s,4s",
      },
    });
    await this.#server.addAccount(address, password);
  }

  async #run(): Promise<Figures> {
    const begun = performance.now();
    const seconds = () => (performance.now() - begun) / 1_000;
    const roots = [this.#server.pid, this.#server.postgresPid()];
    const cpuBefore = cpuMs(roots);
    const watch = setInterval(() => this.#measureMemory(), 250);
    const traffic = [this.#sendAllIn().then(seconds), this.#sendAllOut().then(seconds)] as const;
    let isOver = false;
    const killing = this.#killSometimes(() => isOver);
    const [sentIn, sentOut] = await Promise.all(traffic).finally(() => {
      isOver = true;
    });
    await killing;
    const account = await this.#settle();
    clearInterval(watch);
    const settled = seconds();
    const third = Math.ceil(this.#rss.length / 3);
    const most = (values: number[]) => Math.round(Math.max(0, ...values));
    const found = await this.#judge(account);
    return {
      ...found,
      sentIn,
      sentOut,
      settled,
      cpuMsPerMail: (cpuMs(roots) - cpuBefore) / (this.#mailIn.size + this.#mailOut.size),
      memory: { first: most(this.#rss.slice(0, third)), last: most(this.#rss.slice(-third)), most: most(this.#rss) },
      kills: this.#kills.length,
      tries: { in: this.#triesIn, out: this.#sinks.transactions },
      misdeeds: Object.fromEntries(this.#sinks.misdeeds),
    };
  }

  #measureMemory(): void {
    this.#rss.push(Math.max(0, ...workersOf(this.#server.pid).map(({ megabytes }) => megabytes)));
  }

  get #acknowledged(): number {
    const count = (all: Map<string, Outcome>) => [...all.values()].filter((one) => one === "acknowledged").length;
    return count(this.#mailIn) + count(this.#mailOut);
  }

  /** Each after so much more of the mail has been taken. */
  async #killSometimes(isOver: () => boolean): Promise<void> {
    const { kills, mails } = this.#options;
    for (let n = 0; n < kills; n++) {
      const due = ((n + 0.9 * this.#random()) * 2 * mails) / kills;
      while (!isOver() && this.#acknowledged < due) await sleep(20);
      if (isOver()) return;
      const workers = workersOf(this.#server.pid);
      const victim = workers[Math.floor(this.#random() * workers.length)];
      if (victim === undefined) continue;
      process.kill(victim.pid, "SIGKILL");
      this.#kills.push(Date.now());
    }
  }

  /** Peers that try again until they are told that their mail was taken, as all do. */
  async #sendAllIn(): Promise<void> {
    const names = Array.from({ length: this.#options.mails }, (_, n) => `in-${n}`);
    const peer = async () => {
      let connection: SmtpConnection | undefined;
      for (let next = names.pop(); next !== undefined; ) {
        const name = next;
        this.#triesIn++;
        try {
          connection ??= await SmtpConnection.greet({ port: this.#server.smtpPort, timeoutMs: 60_000 });
          await connection.send({ from: "a@good.test", to: address, data: this.#messageIn(name) });
          this.#mailIn.set(name, "acknowledged");
          next = names.pop();
        } catch (error) {
          connection?.destroy();
          connection = undefined;
          // A reply says that it was not taken; a lost connection says nothing.
          if (!(error instanceof SmtpFailure) || error.code === 0) this.#retriedIn.add(name);
          await sleep(100);
        }
      }
      await connection?.quit().catch(() => {});
    };
    await Promise.all(Array.from({ length: connectionsIn }, peer));
  }

  #messageIn(name: string): string {
    const header = `From: a@good.test\r\nTo: ${address}\r\nSubject: ${name}\r\nMessage-ID: <${name}@good.test>\r\n`;
    return `${header}\r\n${this.#text}`;
  }

  /** Submissions until so many recipients are acknowledged; those of a lost request are unknown, and not sent again. */
  async #sendAllOut(): Promise<void> {
    let left = this.#options.mails;
    const submitter = async () => {
      let client: Client | undefined;
      while (left > 0) {
        const submissions: string[][] = [];
        while (submissions.length < perRequest && left > 0) {
          const count = Math.min(left, 1 + Math.floor(this.#random() * perSubmission));
          left -= count;
          const domain = domains[Math.floor(this.#random() * domains.length)]!;
          submissions.push(Array.from({ length: count }, () => this.#recipientAt(domain)));
        }
        try {
          client ??= await this.#server.login(address, password);
          const done = await submit(client, submissions, this.#text);
          for (const to of done) this.#mailOut.set(to, "acknowledged");
          for (const to of submissions.flat()) if (!this.#mailOut.has(to)) left++;
        } catch {
          client?.close();
          client = undefined;
          for (const to of submissions.flat()) this.#mailOut.set(to, "unknown");
          left += submissions.flat().length;
          await sleep(100);
        }
      }
      client?.close();
    };
    await Promise.all(Array.from({ length: submittersOut }, submitter));
  }

  #recipientAt(domain: Domain): string {
    const local = domain === "refuses" && this.#random() < 0.5 ? "gone" : "to";
    return `${local}-${randomUUID().slice(0, 13)}@${domain}.test`;
  }

  /** Resolves when nothing waits, with the subjects of the account's mail. */
  async #settle(): Promise<Map<string, number>> {
    for (const end = Date.now() + maxSettleMs; ; await sleep(500)) {
      // A message that was accepted in the last second before a kill is not in the log that the audit goes by.
      const isQuiet = await this.#asOperator(async (admin) => {
        const [waiting] = await listIncoming(admin, 1);
        return waiting === undefined && (await auditQueues(admin, new Date(0))).outgoing.waiting === 0;
      });
      if (isQuiet || Date.now() > end) return this.#subjects();
    }
  }

  async #asOperator<T>(work: (admin: Admin) => Promise<T>): Promise<T> {
    const clock = { now: () => new Date(Date.now() + auditAheadMs) };
    const database = new Database({ ...this.#server.connection, max: 2 }, silentLog);
    try {
      return await work(testAdmin(new Store({ database, clock, log: silentLog })));
    } finally {
      await database.close();
    }
  }

  async #subjects(): Promise<Map<string, number>> {
    const client = await this.#server.login(address, password);
    const { accountId } = client;
    const times = new Map<string, number>();
    for (let position = 0; ; ) {
      const query = { accountId, position, limit: 500, sort: [{ property: "receivedAt" }] };
      const { ids } = await one<{ ids: string[] }>(client, "Email/query", query);
      if (ids.length === 0) break;
      position += ids.length;
      const { list } = await one<GetResult>(client, "Email/get", { accountId, ids, properties: ["subject"] });
      for (const { subject } of list) times.set(String(subject), (times.get(String(subject)) ?? 0) + 1);
    }
    client.close();
    return times;
  }

  async #judge(here: Map<string, number>): Promise<Pick<Figures, "problems" | "doubled" | "accounts">> {
    const accounts = await this.#asOperator((admin) => auditQueues(admin, new Date(0)));
    const problems = accounts.incoming.missing.map(({ mail }) => `${mail} is missing, says the audit`);
    const doubled = { in: 0, out: 0 };
    for (const name of this.#mailIn.keys()) {
      const times = here.get(name) ?? 0;
      if (times === 0) problems.push(`${name} is lost`);
      if (times > 1 && this.#retriedIn.has(name)) doubled.in++;
      else if (times > 1) problems.push(`${name} is there ${times} times`);
    }
    const stored = this.#sinks.stored();
    for (const [to, outcome] of this.#mailOut) {
      const copies = stored.get(to) ?? [];
      const times = copies.length;
      const isGone = to.startsWith("gone-");
      if (times === 0 && !isGone && outcome === "acknowledged") problems.push(`${to} is lost`);
      if (times > 0 && isGone) problems.push(`${to} was refused, and is there`);
      if (times > 1 && this.#mayDouble(to, copies)) doubled.out++;
      else if (times > 1) problems.push(`${to} is there ${times} times: ${this.#beforeKills(copies)}`);
    }
    const { waiting, held, canceled, delivered, bounced } = accounts.outgoing;
    if (waiting + held + canceled + accounts.incoming.waiting + accounts.incoming.setAside > 0) {
      problems.push(`not all is settled: ${JSON.stringify(accounts)}`);
    }
    const known = [...this.#mailOut].filter(([, outcome]) => outcome === "acknowledged").length;
    if (delivered + bounced < known)
      problems.push(`${known} recipients were acknowledged, ${delivered + bounced} are known`);
    return { problems, doubled, accounts };
  }

  /** How long before the next kill each copy was stored. */
  #beforeKills(copies: readonly number[]): string {
    const until = (at: number) => Math.min(...this.#kills.filter((kill) => kill >= at).map((kill) => kill - at));
    return copies.map((at) => `${until(at)} ms before a kill`).join(", ");
  }

  /** All copies but the last are of servers that kept them untold, or a kill came between their reply and our record of it. */
  #mayDouble(to: string, copies: readonly number[]): boolean {
    const domain = to.slice(to.indexOf("@") + 1, -".test".length) as Domain;
    const isInWindow = (at: number) => this.#kills.some((kill) => at <= kill && kill - at < windowMs);
    return untruthful.includes(domain) || copies.slice(0, -1).every(isInWindow);
  }
}

/** The recipients whose submissions were created. */
async function submit(client: Client, submissions: readonly string[][], text: string): Promise<string[]> {
  const { accountId } = client;
  const { list: boxes } = await one<GetResult<{ id: string; role: string }>>(client, "Mailbox/get", {});
  const { list: identities } = await one<GetResult<{ id: string }>>(client, "Identity/get", {});
  const sent = boxes.find(({ role }) => role === "sent")!.id;
  const emails = submissions.map((to, at) => [
    `e${at}`,
    {
      mailboxIds: { [sent]: true },
      from: [{ email: address }],
      to: to.map((email) => ({ email })),
      subject: "out",
      textBody: [{ partId: "1" }],
      bodyValues: { 1: { value: text } },
    },
  ]);
  const create = submissions.map((_, at) => [`s${at}`, { emailId: `#e${at}`, identityId: identities[0]!.id }]);
  const answers = await client.call([
    ["Email/set", { accountId, create: Object.fromEntries(emails) }, "0"],
    ["EmailSubmission/set", { accountId, create: Object.fromEntries(create) }, "1"],
  ]);
  const [name, answer] = answers[1]!;
  if (name !== "EmailSubmission/set") throw new Error(JSON.stringify(answer));
  const created = (answer as SetResult).created ?? {};
  return submissions.flatMap((to, at) => (created[`s${at}`] ? to : []));
}
