import { type Client, responseArgs } from "../client/client.ts";
import { type EventSourceOptions, type EventStream, openEventSource } from "../client/eventsource.ts";
import { deliver } from "../client/smtp.ts";
import {
  type Account,
  core,
  type GetResult,
  type ImportResult,
  type Invocation,
  type Json,
  mail,
  type Session,
  type SetResult,
  type UploadResult,
} from "../client/types.ts";
import { type JmapSocket, openWebSocket } from "../client/websocket.ts";
import { fail, methodError, ok, Skipped, show } from "./expect.ts";
import { type MessageOptions, rawMessage } from "./message.ts";
import type { PushEndpoint } from "./push-listener.ts";
import { Recorder } from "./recorder.ts";
import { destroyMailboxes, type Smtp, type World } from "./world.ts";

export type EmailOptions = MessageOptions & {
  /** The whole message, instead of one built from the other options. */
  raw?: string | Uint8Array;
  /** A mailbox id or several. (Default: the test's own mailbox.) */
  in?: string | readonly string[];
  keywords?: readonly string[];
  /** UTCDate. */
  receivedAt?: string;
};
export type MadeEmail = { id: string; blobId: string; threadId: string; size: number };

let serial = 0;

/** What a test is given. Whatever its makers create is destroyed when the test ends. */
export class TestContext {
  readonly client: Client;
  readonly recorder = new Recorder();
  readonly world: World;
  readonly #second: Client | undefined;
  readonly #later: (() => Promise<unknown> | unknown)[] = [];
  readonly #mailboxes: string[] = [];
  readonly #emails: string[] = [];
  #box: Promise<string> | undefined;

  constructor(world: World) {
    this.world = world;
    this.client = world.watched(world.first, (seen) => this.recorder.http(seen));
    this.#second = world.second && world.watched(world.second, (seen) => this.recorder.http(seen, "second user"));
  }

  /** The first user's main account for mail. */
  get accountId(): string {
    return this.client.accountId;
  }

  get session(): Session {
    return this.client.session;
  }

  get account(): Account {
    return this.session.accounts[this.accountId] as Account;
  }

  /** A limit of the core capability, like `maxObjectsInGet`. */
  limit(name: string): number {
    const value = this.session.capabilities[core]?.[name];
    return typeof value === "number" ? value : this.skip(`the session names no ${name}`);
  }

  /** A property of the account's mail capability. */
  mailCapability(name: string): unknown {
    return this.account.accountCapabilities[mail]?.[name];
  }

  /** Another user, who may not see the first one's account. */
  get client2(): Client {
    return this.#second ?? this.skip("no second user was given");
  }

  /** Another account that the first user may write mail to; skips when the session has none. */
  get otherAccountId(): string {
    const found = Object.entries(this.session.accounts).find(
      ([id, { isReadOnly, accountCapabilities }]) =>
        id !== this.accountId && !isReadOnly && mail in accountCapabilities,
    );
    return found?.[0] ?? this.skip("the first user may write to no second account");
  }

  get smtp(): Smtp {
    return this.world.smtp ?? this.skip("no SMTP server was given");
  }

  skip(reason: string): never {
    throw new Skipped(reason);
  }

  /** All responses unchanged; HTTP errors throw. */
  call(calls: readonly Invocation[], using?: readonly string[]): Promise<Invocation[]> {
    return this.client.call(calls, using);
  }

  /** The arguments of the answer to one call; a method-level error throws. `accountId` is added if it is missing. */
  async one<T = Json>(method: string, args: Json = {}, using?: readonly string[]): Promise<T> {
    const answer = await this.#single(method, args, using);
    // Allowed at any time; that it should not happen with a recent state is a SHOULD, and has its own test.
    const unable = answer[0] === "error" && answer[1].type === "cannotCalculateChanges";
    if (unable && /\/(changes|queryChanges)$/.test(method)) this.skip(`${method}: cannotCalculateChanges`);
    return responseArgs<T>(answer, method);
  }

  /** The call must fail with this method-level error, or one of several. */
  async error(method: string, args: Json, type: string | readonly string[], using?: readonly string[]): Promise<Json> {
    return methodError(await this.#single(method, args, using), type);
  }

  async #single(method: string, args: Json, using?: readonly string[]): Promise<Invocation> {
    const full = "accountId" in args || withoutAccount(method) ? args : { accountId: this.accountId, ...args };
    const [answer] = await this.call([[method, full, "c"]], using);
    return answer ?? fail(`${method}: no response`);
  }

  /** The records themselves, `null` for all. */
  async get<T = Json>(type: string, ids: readonly string[] | null, properties?: readonly string[]): Promise<T[]> {
    return (await this.one<GetResult<T>>(`${type}/get`, { ids, ...(properties && { properties }) })).list;
  }

  /** One record, which must exist. */
  async find<T = Json>(type: string, id: string, properties?: readonly string[]): Promise<T> {
    const [record] = await this.get<T>(type, [id], properties);
    return record ?? fail(`${type} ${id} was not found`);
  }

  async state(type: string): Promise<string> {
    return (await this.one<GetResult>(`${type}/get`, { ids: [] })).state;
  }

  set<T extends Json = Json>(type: string, args: Json): Promise<SetResult<T>> {
    return this.one<SetResult<T>>(`${type}/set`, args);
  }

  /** A name that is unique in this run and across runs. */
  unique(prefix = "x"): string {
    return `${prefix}-${this.world.runId}-${++serial}`;
  }

  /** Makes a mailbox below the run's own and returns its id. `parentId: null` makes it at the top. */
  async mailbox(properties: Json = {}): Promise<string> {
    const [id] = await this.mailboxes([properties]);
    return id as string;
  }

  async mailboxes(list: readonly Json[]): Promise<string[]> {
    const parentId = await this.world.parentMailbox();
    const create = Object.fromEntries(
      list.map((properties, at) => [`m${at}`, { parentId, name: this.unique("box"), ...properties }]),
    );
    const answer = await this.set<{ id: string }>("Mailbox", { create });
    return list.map((_, at) => {
      const made = answer.created?.[`m${at}`];
      ok(made, `a mailbox could not be made: ${show(answer.notCreated)}`);
      this.#mailboxes.push(made.id);
      return made.id;
    });
  }

  /** A mailbox at the top of the other account. */
  async otherMailbox(): Promise<string> {
    const accountId = this.otherAccountId;
    const answer = await this.set<{ id: string }>("Mailbox", {
      accountId,
      create: { m: { name: this.unique("box"), parentId: null } },
    });
    const made = answer.created?.m;
    ok(made, `a mailbox could not be made in the other account: ${show(answer.notCreated)}`);
    this.defer(() => this.set("Mailbox", { accountId, destroy: [made.id], onDestroyRemoveEmails: true }));
    return made.id;
  }

  /** The test's own mailbox, created at its first use. */
  box(): Promise<string> {
    this.#box ??= this.mailbox();
    return this.#box;
  }

  /** The id of the account's mailbox with this role; skips when there is none. */
  async role(role: string): Promise<string> {
    const all = await this.get<{ id: string; role: string | null }>("Mailbox", null, ["role"]);
    return all.find((one) => one.role === role)?.id ?? this.skip(`the account has no mailbox with the role ${role}`);
  }

  async email(options: EmailOptions = {}): Promise<MadeEmail> {
    const [made] = await this.emails([options]);
    return made as MadeEmail;
  }

  /** Imports messages with one call, in this order. */
  async emails(list: readonly EmailOptions[]): Promise<MadeEmail[]> {
    const emails: Json = {};
    for (const [at, options] of list.entries()) {
      const { blobId } = await this.upload(options.raw ?? rawMessage(options), "message/rfc822");
      const mailboxes = options.in === undefined ? [await this.box()] : [options.in].flat();
      const { receivedAt, keywords = [] } = options;
      const yes = (names: readonly string[]): Json => Object.fromEntries(names.map((name) => [name, true]));
      emails[`e${at}`] = {
        blobId,
        mailboxIds: yes(mailboxes),
        keywords: yes(keywords),
        ...(receivedAt && { receivedAt }),
      };
    }
    const imported = await this.#import(emails);
    return list.map((options, at) => {
      const made = imported[`e${at}`] ?? fail(`e${at} is neither in created nor in notCreated of Email/import`);
      const mailboxes = [options.in ?? []].flat();
      if (mailboxes.some((id) => !this.#mailboxes.includes(id))) this.#emails.push(made.id);
      return made;
    });
  }

  /** A server may forbid two emails with the same content (RFC 8621 §4.8), and another test may have the same one now. */
  async #import(emails: Json): Promise<Record<string, MadeEmail>> {
    const made: Record<string, MadeEmail> = {};
    const end = Date.now() + 15_000;
    for (let rest = emails; ; await sleep(200)) {
      const { created, notCreated } = await this.one<ImportResult>("Email/import", { emails: rest });
      Object.assign(made, created);
      const refused = Object.entries(notCreated ?? {});
      if (refused.length === 0) return made;
      const twins = refused.every(([, { type }]) => type === "alreadyExists");
      ok(twins, `an email could not be imported: ${show(notCreated)}`);
      if (Date.now() > end) this.skip("the server keeps no two emails of the same content, as it may");
      rest = Object.fromEntries(refused.map(([key]) => [key, rest[key]]));
    }
  }

  upload(bytes: string | Uint8Array, type?: string): Promise<UploadResult> {
    return this.client.upload(bytes, type);
  }

  /** Sends a message to the account over SMTP. */
  async deliver(raw: string | Uint8Array, from = "sender@conformance.example"): Promise<void> {
    const { host, port, address } = this.smtp;
    const line = await deliver({ host, port, from, to: address, data: raw });
    this.recorder.note(`SMTP ${from} → ${address}\n${Buffer.from(raw).toString("utf8")}`, line);
  }

  /** A WebSocket that is closed when the test ends. */
  async webSocket(client = this.client): Promise<JmapSocket> {
    const socket = await openWebSocket(client);
    this.defer(() => socket.socket.terminate());
    socket.onSend = (text) => this.recorder.note(`WebSocket sent\n${text}`);
    socket.socket.on("message", (data) => this.recorder.note("WebSocket received", `${data}`));
    return socket;
  }

  async eventSource(options: EventSourceOptions = {}, client = this.client): Promise<EventStream> {
    const stream = await openEventSource(client, options);
    this.defer(() => stream.close());
    return stream;
  }

  /** A URL for the server to push to. */
  pushEndpoint(): PushEndpoint {
    const listener = this.world.listener ?? this.skip("no push listener was given");
    const endpoint = listener.endpoint();
    this.defer(() => listener.forget(endpoint));
    return endpoint;
  }

  /** Runs after the test, the last deferred first; its failure does not fail the test. */
  defer(work: () => Promise<unknown> | unknown): void {
    this.#later.push(work);
  }

  /** For objects created without a maker: Mailbox and Email are destroyed together at the end, other types by their own /set. */
  destroyLater(type: string, ...ids: readonly string[]): void {
    if (type === "Mailbox") this.#mailboxes.push(...ids);
    else if (type === "Email") this.#emails.push(...ids);
    else this.defer(() => this.one(`${type}/set`, { destroy: ids }));
  }

  /** Retries `work` until it does not throw, and returns its result; at the deadline, throws the last failure. */
  async eventually<T>(work: () => Promise<T> | T, timeoutMs = 10_000): Promise<T> {
    const end = Date.now() + timeoutMs;
    for (let wait = 20; ; wait = Math.min(wait * 1.5, 500)) {
      try {
        return await work();
      } catch (error) {
        if (error instanceof Skipped || Date.now() + wait > end) throw error;
      }
      await sleep(wait);
    }
  }

  sleep(ms: number): Promise<void> {
    return sleep(ms);
  }

  /** Called by the runner. */
  async end(): Promise<void> {
    for (const work of this.#later.reverse())
      await Promise.resolve()
        .then(work)
        .catch(() => {});
    const { accountId } = this;
    if (this.#emails.length > 0) {
      await this.call([["Email/set", { accountId, destroy: [...new Set(this.#emails)] }, "0"]]).catch(() => {});
    }
    if (this.#mailboxes.length > 0) {
      await destroyMailboxes(this.client, [...new Set(this.#mailboxes)].reverse()).catch(() => {});
    }
    this.client.close();
    this.#second?.close();
  }
}

function withoutAccount(method: string): boolean {
  return method.startsWith("Core/") || method.startsWith("PushSubscription/");
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
