import { createHmac, randomBytes } from "node:crypto";
import { Resolver } from "node:dns/promises";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { afterEach, expect } from "vitest";
import { type Client, connect, one } from "../../conformance/client/client.ts";
import { deliver } from "../../conformance/client/smtp.ts";
import type { GetResult } from "../../conformance/client/types.ts";
import { addAccount } from "../../src/admin/accounts.ts";
import type { Admin } from "../../src/admin/admin.ts";
import { addOperator, operatorSignIn, type Role } from "../../src/admin/operators.ts";
import { newToken } from "../../src/auth/secrets.ts";
import { systemClock } from "../../src/base/clock.ts";
import { decodeId, idPrefix } from "../../src/base/ids.ts";
import { silentLog } from "../../src/base/log.ts";
import { type Running, serve } from "../../src/cli/serve.ts";
import { load } from "../../src/config/load.ts";
import { Ingest } from "../../src/mail/deliver/ingest.ts";
import { prepareMessage } from "../../src/mail/deliver/prepare.ts";
import { ProcessBus } from "../../src/push/bus.ts";
import { Blobs } from "../../src/store/blobs/blobs.ts";
import { DiskObjects } from "../../src/store/blobs/objects/disk.ts";
import type { Authentication } from "../../src/store/core/db.ts";
import { Store } from "../../src/store/core/store.ts";
import { findLogin } from "../../src/store/directory/logins.ts";
import { addTotp } from "../../src/store/directory/second-factors.ts";
import { addWebToken } from "../../src/store/directory/sign-ins.ts";
import { afterwards } from "../../test/support/afterwards.ts";
import { type Mail, message } from "../../test/support/messages.ts";
import { freePorts } from "../../test/support/ports.ts";
import { createTestDatabase, urlOf } from "../../test/support/postgres.ts";
import type { Prefs } from "../shared/prefs.ts";
import { launchBrowser } from "./browser.ts";

/** What is found of a mail that its author's domain signed, or not. */
export function checked(domain: string, result: "pass" | "fail"): Authentication {
  return {
    spf: { result: "none", domain: null },
    dkim: [{ result, domain, selector: "s" }],
    dmarc: [{ result, domain, policy: "reject", override: null }],
    arc: { result: "none", sealers: [] },
    bimi: { result: "none", domain: null },
  };
}

export const password = "correct horse battery";

/** What an authenticator app shows for a key, so many steps of 30 seconds from now (RFC 6238). */
export function appCode(key: string, by = 0): string {
  const letters = key.replaceAll(" ", "");
  const bits = [...letters].map((one) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(one).toString(2).padStart(5, "0"));
  const secret = Buffer.from(
    bits
      .join("")
      .match(/.{8}/g)!
      .map((byte) => Number.parseInt(byte, 2)),
  );
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + by));
  const mac = createHmac("sha1", secret).update(step).digest();
  const number = mac.readUInt32BE(mac.at(-1)! & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, "0");
}

export interface User {
  address: string;
  client: Client;
  /** Puts a message into a mailbox, by role or name. Returns its email id. */
  put(mail: Mail & { mailbox?: string; keywords?: string[]; receivedAt?: Date }): Promise<string>;
  mailboxId(key: string): Promise<string>;
}

export interface World {
  url: string;
  /** Of the operators' page. */
  operatorUrl: string;
  store: Store;
  admin: Admin;
  browser: Browser;
  addUser(name: string): Promise<User>;
  /** A browser of its own, with nothing remembered. Pages ask the server itself, unless `serviceWorkers` are allowed. */
  open(options?: BrowserContextOptions): Promise<Page>;
  /** Makes the account an operator's, with a second factor. */
  makeOperator(address: string, role: Role, domains?: string[]): Promise<void>;
  /** The same, signed in, with the inbox in view. `prefs`: what the browser remembers of how somebody likes the page. */
  signIn(user: User, options?: BrowserContextOptions & { at?: string; prefs?: Partial<Prefs> }): Promise<Page>;
  /** A page that is signed in at the operators' door, with a place of it in view. */
  operate(user: Pick<User, "address">, options?: BrowserContextOptions & { at?: string }): Promise<Page>;
  /** By SMTP, from outside. */
  send(to: User, mail: { from?: string; subject: string; text?: string; headers?: string }): Promise<void>;
  /** Puts a message into the inbox as if it had come by SMTP, with what was found about who sent it. */
  receive(to: User, source: string, authentication: Authentication): Promise<void>;
  /** Stops to listen, as if the line were cut, and begins again. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

/** Signs a browser in by the page's own way, but without the form, which has tests of its own. */
export async function enter(context: BrowserContext, origin: string, username: string): Promise<void> {
  const data = { username, password, stay: false };
  const response = await context.request.post(`${origin}/auth/login`, { data, headers: { Origin: origin } });
  if (!response.ok()) throw new Error(`signing in: ${response.status()}`);
}

interface WorldOptions {
  /** Further options of the server. */
  flags?: Record<string, string>;
  /** (Default: one that finds nothing) */
  resolver?: Resolver;
  /** Where further names lead the browser. */
  hosts?: Record<string, string>;
  /** Of another server that pages may be led to. */
  otherPort?: () => number;
}

/** A server, and a browser. Each file has one. After each test no page may have failed, nor asked another origin for anything. */
export async function createWorld({
  flags: more = {},
  resolver,
  hosts = {},
  otherPort,
}: WorldOptions = {}): Promise<World> {
  const { database, connection } = await createTestDatabase();
  const store = new Store({ database, clock: systemClock, log: silentLog });
  const admin = {
    store,
    bus: new ProcessBus({ store, log: silentLog }),
    random: randomBytes,
    log: silentLog,
    who: "test",
  };
  const folder = mkdtempSync(join(tmpdir(), "posthorn-web-"));
  const [httpPort, smtpPort, operatorPort] = (await freePorts(3)) as [number, number, number];
  const url = `http://127.0.0.1:${httpPort}`;
  const operatorUrl = `http://127.0.0.1:${operatorPort}`;
  let running: Running | undefined;
  const start = async () => {
    const http = `127.0.0.1:${httpPort}`;
    const flags = {
      data: folder,
      http,
      smtp: `127.0.0.1:${smtpPort}`,
      operator: `127.0.0.1:${operatorPort}`,
      metrics: "off",
      demo: "false",
      resolver: "127.0.0.1:1",
      ...more,
    };
    const { config } = load({ DATABASE_URL: urlOf(connection) }, flags);
    const asked = resolver ?? new Resolver({ timeout: 100, tries: 1 });
    running = await serve(config, { clock: systemClock, resolver: asked, random: randomBytes, log: silentLog });
  };
  const stop = async () => {
    await running?.stop();
    running = undefined;
  };
  await start();
  const browser = await launchBrowser(hosts);
  afterwards(async () => {
    await browser.close();
    await stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const contexts: BrowserContext[] = [];
  const faults: string[] = [];
  afterEach(async () => {
    await Promise.all(contexts.splice(0).map((context) => context.close()));
    expect(faults.splice(0)).toEqual([]);
  });
  const open = async (options: BrowserContextOptions = {}) => {
    const context = await browser.newContext({
      locale: "en-GB",
      viewport: { width: 1280, height: 800 },
      serviceWorkers: "block",
      ...options,
    });
    contexts.push(context);
    context.on("page", (page) => page.on("pageerror", (error) => faults.push(String(error))));
    context.on("console", (said) => {
      // What was refused shows as an error of the network, and tests refuse a lot.
      if (
        said.type() === "error" &&
        !/Cross-Origin-Opener|Failed to load resource|WebSocket connection/.test(said.text())
      )
        faults.push(said.text());
    });
    context.on("request", (request) => {
      const { origin, protocol, port } = new URL(request.url());
      if (!["data:", "blob:"].includes(protocol) && ![httpPort, operatorPort, otherPort?.()].includes(Number(port)))
        faults.push(`a request to ${origin}`);
    });
    const page = await context.newPage();
    // Under that of a test, so that a failure names what it waited for.
    page.setDefaultTimeout(20_000);
    return page;
  };
  const arrive = async (
    page: Page,
    user: Pick<User, "address">,
    { at, prefs }: { at: string; prefs?: Partial<Prefs> },
  ) => {
    await enter(page.context(), new URL(at).origin, user.address);
    if (prefs)
      await page.addInitScript((text) => {
        localStorage["posthorn.prefs"] ??= text;
      }, JSON.stringify(prefs));
    await page.goto(at);
  };
  return {
    url,
    operatorUrl,
    store,
    admin,
    browser,
    open,
    start,
    stop,
    addUser: async (name) => {
      const address = `${name}@here.test`;
      await addAccount(admin, { address, name: "", password, quota: 0 });
      return userOf(address, await connect({ url, user: address, password }));
    },
    signIn: async (user, { at = "", prefs, ...options } = {}) => {
      const page = await open(options);
      await arrive(page, user, { at: `${url}/${at}`, ...(prefs && { prefs }) });
      await page.waitForSelector(".list-head h1, .settings-pane");
      return page;
    },
    makeOperator: async (address, role, domains = []) => {
      await addOperator(admin, address, { role, domains });
      const { userId } = (await findLogin(store.database, address))!;
      await store.write(userId, { userId }, (tx) => addTotp(tx, { secret: "nobody's", step: 0 }));
    },
    operate: async (user, { at = "", ...options } = {}) => {
      const page = await open(options);
      // As signing in leaves it, which has tests of its own.
      const login = user.address;
      const { userId } = (await findLogin(store.database, login))!;
      const { id, secret, hash } = newToken(randomBytes, userId);
      await store.write(userId, { userId }, (tx) => {
        const expiresAt = new Date(tx.now.getTime() + 3_600_000);
        const more = { label: operatorSignIn, createdAt: tx.now, expiresAt, agent: null, network: null };
        return addWebToken(tx, { userId, login, id, hash, ...more });
      });
      const cookie = { name: "posthorn-operator", value: secret, url: operatorUrl };
      await page.context().addCookies([{ ...cookie, httpOnly: true, sameSite: "Strict" }]);
      await page.goto(`${operatorUrl}/${at}`);
      await page.waitForSelector("main h1");
      return page;
    },
    receive: async (to, source, authentication) => {
      const bytes = Buffer.from(source);
      const objects = new DiskObjects({ folder: join(folder, "blobs"), clock: systemClock, random: randomBytes });
      const blob = await new Blobs({ objects, clock: systemClock, cacheBytes: 0 }).put(bytes);
      const prepared = prepareMessage(bytes);
      const account = decodeId(idPrefix.account, to.client.accountId)!;
      await new Ingest(store).add(account, {
        ...{ blob, prepared, authentication, target: { role: "inbox" }, keywords: [], receivedAt: new Date() },
      });
    },
    send: async (to, { from = "carol@elsewhere.test", subject, text = "Hello.", headers = "" }) => {
      const data = `From: Carol <${from}>\r\nTo: ${to.address}\r\nSubject: ${subject}\r\nMessage-ID: <${randomBytes(8).toString("hex")}@elsewhere.test>\r\n${headers}\r\n${text}\r\n`;
      expect(await deliver({ port: smtpPort, from, to: to.address, data })).toMatch(/^250 /);
    },
  };
}

function userOf(address: string, client: Client): User {
  let mailboxes: { id: string; role: string | null; name: string }[] = [];
  const mailboxId = async (key: string): Promise<string> => {
    const found = () => mailboxes.find(({ role, name }) => role === key || name === key)?.id;
    if (found() === undefined) {
      const { list } = await one<GetResult>(client, "Mailbox/get", { ids: null });
      mailboxes = list as typeof mailboxes;
    }
    const id = found();
    if (id === undefined) throw new Error(`${address} has no mailbox ${key}`);
    return id;
  };
  return {
    address,
    client,
    mailboxId,
    put: async ({ mailbox = "inbox", keywords = [], receivedAt = new Date(), ...mail }) => {
      const { blobId } = await client.upload(await message({ to: address, ...mail }), "message/rfc822");
      const email = {
        blobId,
        mailboxIds: { [await mailboxId(mailbox)]: true },
        keywords: Object.fromEntries(keywords.map((one) => [one, true])),
        receivedAt: `${receivedAt.toISOString().slice(0, 19)}Z`,
      };
      const result = await one<{ created: Record<string, { id: string }> | null; notCreated: unknown }>(
        client,
        "Email/import",
        {
          emails: { mail: email },
        },
      );
      const id = result.created?.mail?.id;
      if (id === undefined) throw new Error(`not imported: ${JSON.stringify(result.notCreated)}`);
      return id;
    },
  };
}
