import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import { addAccount, checkNewAccount } from "../admin/accounts.ts";
import { zoneLine } from "../admin/dns-records.ts";
import { type Checked, isWhole } from "../admin/domain-check/checked.ts";
import { recordsOf } from "../admin/domain-check.ts";
import { ensureDomain, keysOf, listDomains, mtaStsOf, setMtaSts } from "../admin/domains.ts";
import { loginOf } from "../admin/names.ts";
import { Refused } from "../admin/refused.ts";
import { randomPassword } from "../auth/secrets.ts";
import type { Log } from "../base/log.ts";
import { type Config, type OptionName, schema } from "../config/schema.ts";
import { createLog } from "../ops/log.ts";
import type { OwnStsPolicy } from "../store/directory/mta-sts.ts";
import { checkNames, checkServer, summary, tell } from "./check.ts";
import { type Context, random } from "./command.ts";
import { withStore } from "./database.ts";
import { Failure } from "./fail.ts";
import { operator } from "./operator.ts";
import { flagsOf } from "./options.ts";
import { paint } from "./paint.ts";
import { withProgress } from "./progress.ts";
import { askSecret, isTerminal, say } from "./prompt.ts";
import { type Answers, answersOf, type SetupOptions } from "./setup/answers.ts";
import { newOptions, writeOptions } from "./setup/options-file.ts";
import { type Published, publish, seen, wishesOf } from "./setup/publish.ts";
import { reachServer } from "./setup/server.ts";
import { testMails } from "./setup/test-mail.ts";
import { siteOf } from "./site.ts";

type Means = Pick<Context, "admin" | "config">;

/** What was done and found, as --json prints it. */
interface Report {
  domain: string;
  hostname: string;
  isDryRun: boolean;
  options: { file: string; added: Record<string, string> };
  isNewDomain: boolean;
  account: { address: string; isNew: boolean; password?: string } | null;
  /** As in a zone's file. */
  records: string[];
  published: Published | null;
  checks: Checked[];
  /** Empty if the server was left out. */
  server: Checked[];
  next: string[];
}

/** Each step looks at what there is and does what is missing, so that a run that was cut short is gone on with by the next. */
export async function setup(command: Command): Promise<void> {
  const options = command.opts<SetupOptions & Record<string, unknown>>();
  const { flags, file } = flagsOf(command);
  const answers = await answersOf(options, flags, file);
  const { loaded } = answers;
  const log = createLog(loaded.sources.logLevel === "default" ? "error" : loaded.config.logLevel);
  const report = await new Setup(options, answers, log).run();
  const all = [...report.checks, ...report.server];
  if (!report.isDryRun && !isWhole(all)) process.exitCode = 1;
  if (options.json) return say(JSON.stringify({ isWhole: isWhole(all), ...report }, null, 2));
  if (report.isDryRun) return say("\nNothing was changed.");
  say(`\n${tell(all)}\n\n${summary(all)}`);
  for (const step of report.next) say(step);
}

class Setup {
  readonly #options: SetupOptions;
  readonly #answers: Answers;
  readonly #log: Log;
  readonly #config: Config;
  readonly #isDryRun: boolean;

  constructor(options: SetupOptions, answers: Answers, log: Log) {
    this.#options = options;
    this.#answers = answers;
    this.#log = log;
    this.#config = answers.loaded.config;
    this.#isDryRun = options.dryRun === true;
  }

  async run(): Promise<Report> {
    const { domain, kept, loaded } = this.#answers;
    const { path } = loaded.file;
    const added = await newOptions(path, kept);
    const options = { file: path, added: shown(added) };
    const report: Report = {
      ...{ domain, hostname: this.#config.hostname, isDryRun: this.#isDryRun, options },
      ...{ isNewDomain: false, account: null, records: [], published: null, checks: [], server: [], next: [] },
    };
    const words = Object.entries(options.added).map(([name, value]) => `${name} ${value}`);
    this.#tell(`${this.#isDryRun ? "Would keep" : "Keeps"} in ${path}: ${words.join(", ") || "what is there"}`);
    if (this.#isDryRun && this.#hasNoDatabase()) {
      this.#tell(
        `Would make the database in ${this.#config.data}, the domain ${domain} with its keys, and the account.`,
      );
      return report;
    }
    if (!this.#isDryRun) await writeOptions(path, added);
    await this.#onStore((means) => this.#makeNames(means, report));
    if (this.#isDryRun) return report;
    await this.#tryServer(report);
    report.next = this.#nextSteps(report);
    return report;
  }

  #tell(text: string): void {
    if (!this.#options.json) say(text);
  }

  #hasNoDatabase(): boolean {
    return this.#config.databaseUrl === "" && !existsSync(join(this.#config.data, "pg"));
  }

  #onStore<T>(work: (means: Means) => Promise<T>): Promise<T> {
    const [config, log] = [this.#config, this.#log];
    const opening = { config, log, begins: !this.#isDryRun, migrates: !this.#isDryRun };
    return withStore(opening, ({ store, bus }) =>
      work({ admin: { store, bus, random, log, who: operator() }, config }),
    );
  }

  /** The domain, its account and its records. */
  async #makeNames(means: Means, report: Report): Promise<void> {
    const { admin } = means;
    const isKnown = (await listDomains(admin)).some(({ name }) => name === report.domain);
    if (this.#isDryRun && !isKnown) {
      return this.#tell(`Would add the domain ${report.domain} with its keys, and the account.`);
    }
    const { domain, isNew } = await ensureDomain(admin, report.domain);
    report.isNewDomain = isNew;
    this.#tell(isNew ? `Added the domain ${domain.name} with its keys.` : `The domain ${domain.name} is there.`);
    await this.#makeAccount(means, report);
    const about = { domain, keys: await keysOf(admin, domain.name), sts: await this.#stsPolicy(means, domain.name) };
    report.records = recordsOf(about, siteOf(this.#config, this.#options.ip)).map(zoneLine);
    this.#tell(`\nThe records of ${domain.name}, as in a zone's file:\n\n${report.records.join("\n")}\n`);
    if (this.#options.zoneFile && !this.#isDryRun)
      await writeFile(this.#options.zoneFile, `${report.records.join("\n")}\n`);
    const look = () => checkNames(means, about, this.#options.ip);
    report.checks = await look();
    await this.#publish(means, report, look);
  }

  /** One that only asks for reports, if there is none: its records are among those to publish. */
  async #stsPolicy({ admin, config }: Means, domain: string): Promise<OwnStsPolicy | undefined> {
    const known = await mtaStsOf(admin, domain);
    if (known || this.#isDryRun) return known;
    const policy: OwnStsPolicy = { mode: "testing", mx: [config.hostname] };
    await setMtaSts(admin, domain, policy);
    return policy;
  }

  async #makeAccount({ admin, config }: Means, report: Report): Promise<void> {
    const { address } = this.#answers;
    if (address === undefined) return;
    if (await isAccount(admin, address)) {
      report.account = { address, isNew: false };
      return this.#tell(`The account ${address} is there.`);
    }
    if (this.#isDryRun) return this.#tell(`Would add the account ${address}.`);
    const { name } = await checkNewAccount(admin, { address, name: this.#options.name });
    const given = await this.#password();
    const password = given ?? randomPassword(random);
    await addAccount(admin, { address, name, password, quota: config.defaultQuota });
    report.account = { address, isNew: true, ...(given === undefined && { password }) };
    this.#tell(`Added the account ${address}.`);
    if (given === undefined) this.#tell(`Its password, shown only now: ${password}`);
  }

  /** Undefined for a random one. */
  async #password(): Promise<string | undefined> {
    const { passwordFile, yes, json } = this.#options;
    if (passwordFile !== undefined) {
      const content = await readFile(passwordFile, "utf8").catch((error: Error) => {
        throw new Failure(`the password cannot be read: ${error.message}`);
      });
      const [first = ""] = content.split(/\r?\n/);
      if (first === "") throw new Failure(`${passwordFile} has no password in its first line`);
      return first;
    }
    if (yes || json || !isTerminal()) return undefined;
    const password = await askSecret("Password (empty for a random one): ");
    if (password !== "" && (await askSecret("Again: ")) !== password) throw new Failure("the two passwords differ");
    return password === "" ? undefined : password;
  }

  async #publish({ admin }: Means, report: Report, look: () => Promise<Checked[]>): Promise<void> {
    const options = this.#options;
    const wishes = wishesOf(report.checks, report.domain, options.replace === true);
    const left = report.checks.filter(({ state, expected }) => state === "wrong" && expected !== null);
    if (left.length > 0 && !options.replace) {
      const names = left.map(({ record, name }) => `${record} (${name})`).join(", ");
      this.#tell(`Left as they are, since they say something else: ${names}. --replace replaces them.`);
    }
    if (this.#isDryRun) {
      const names = wishes.map(({ name, type }) => `${name} ${type}`).join(", ");
      return this.#tell(`Would publish, if --dns-update or --dns-hook says how: ${names || "nothing"}.`);
    }
    const published = await publish(wishes, report.domain, {
      options,
      random: admin.random,
      now: admin.store.clock.now(),
    });
    report.published = published ?? null;
    if (published && published.done.length > 0) this.#tell(`Published ${published.done.length} records.`);
    for (const { wish, reason } of published?.failed ?? [])
      this.#tell(`${wish.name} ${wish.type} was not published: ${reason}`);
    const waitMs = options.wait ?? (published && published.done.length > 0 ? usualWaitMs : 0);
    if (waitMs === 0) return;
    const awaited = published?.done ?? wishes;
    report.checks = await withProgress((progress) => seen(look, awaited, { waitMs, tell: progress }));
  }

  async #tryServer(report: Report): Promise<void> {
    const server = await reachServer(this.#config, { log: this.#log, starts: this.#options.start });
    if (!server) return;
    if (server.isOurs) this.#tell("Started the server, to try it.");
    try {
      report.server = await withProgress(async (progress) => {
        progress("Trying the server's doors");
        const doors = await this.#onStore((means) => this.#checkDoors(means));
        const { address } = this.#answers;
        if (address === undefined) return doors;
        progress("Sending and receiving a test mail");
        const to = this.#options.testTo;
        return [...doors, ...(await this.#onStore((means) => testMails({ ...means, address, to })))];
      });
    } finally {
      await server.stop();
    }
  }

  /** An authority takes a while to give the certificate. */
  async #checkDoors(means: Means): Promise<Checked[]> {
    for (const end = Date.now() + maxCertificateMs; ; await new Promise((resolve) => setTimeout(resolve, 2_000))) {
      const found = await checkServer(means, this.#options);
      const isAwaited =
        this.#config.acme.length > 0 &&
        found.some(({ record, state }) => /^certificate/.test(record) && state !== "right");
      if (!isAwaited || Date.now() > end) return found;
    }
  }

  #nextSteps({ server, domain }: Report): string[] {
    const { data } = this.#config;
    return [
      `Run the server: ${paint("strong", `posthorn serve --data ${data}`)} (restart it if it runs: it may have new options)`,
      `Look again at any time: ${paint("strong", `posthorn check ${domain} --data ${data}`)}`,
      ...(server.length > 0
        ? []
        : ["Run this again beside the server: it then tries the doors and sends a test mail."]),
    ];
  }
}

const usualWaitMs = 5 * 60_000;
const maxCertificateMs = 60_000;

/** Without secrets. */
const shown = (added: Record<string, string>) =>
  Object.fromEntries(
    Object.entries(added).map(([name, value]) => [name, schema[name as OptionName].secret ? "***" : value]),
  );

async function isAccount(admin: Means["admin"], address: string): Promise<boolean> {
  try {
    await loginOf(admin, address);
    return true;
  } catch (error) {
    if (error instanceof Refused) return false;
    throw error;
  }
}
