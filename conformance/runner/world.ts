import { randomBytes } from "node:crypto";
import { Client, type Observer } from "../client/client.ts";
import type { SetResult } from "../client/types.ts";
import type { PushListener } from "./push-listener.ts";

export type Smtp = { host: string; port: number; address: string };

/** What the whole run shares: the logins, the listener, and the mailbox below which everything is created. */
export class World {
  readonly first: Client;
  readonly second: Client | undefined;
  readonly smtp: Smtp | undefined;
  readonly listener: PushListener | undefined;
  readonly timeoutMs: number;
  /** Makes names unique in an account where earlier runs left objects. */
  readonly runId = randomBytes(4).toString("hex");
  readonly #started = Date.now();
  #parent: Promise<string> | undefined;

  constructor(options: {
    first: Client;
    second?: Client | undefined;
    smtp?: Smtp | undefined;
    listener?: PushListener | undefined;
    timeoutMs?: number | undefined;
  }) {
    this.first = options.first;
    this.second = options.second;
    this.smtp = options.smtp;
    this.listener = options.listener;
    this.timeoutMs = options.timeoutMs ?? 30_000;
  }

  get parentName(): string {
    return `jmap-conformance-${this.runId}`;
  }

  /** A client of the same login with its own connections; `observe` is called with every exchange. */
  watched(client: Client, observe: Observer): Client {
    return new Client(client.session, client.sessionUrl, client.authorization, {
      url: client.sessionUrl.href,
      token: "",
      timeoutMs: this.timeoutMs,
      observe,
    });
  }

  parentMailbox(): Promise<string> {
    this.#parent ??= this.#makeParent();
    return this.#parent;
  }

  async #makeParent(): Promise<string> {
    const { accountId } = this.first;
    const create = { parent: { name: this.parentName, parentId: null } };
    const [answer] = await this.first.call([["Mailbox/set", { accountId, create }, "0"]]);
    const made = (answer?.[1] as SetResult<{ id: string }>)?.created?.parent;
    if (!made) throw new Error(`the run's mailbox could not be created: ${JSON.stringify(answer)}`);
    return made.id;
  }

  /** Destroys the run's mailbox with all that is below it, and the mail that was delivered for the run. */
  async cleanUp(): Promise<void> {
    const [tree, arrived] = await Promise.allSettled([this.#destroyTree(), this.#destroyArrived()]);
    for (const done of [tree, arrived]) if (done.status === "rejected") throw done.reason;
  }

  /** Mail delivered for a test names the run in its subject. */
  async #destroyArrived(): Promise<void> {
    const { accountId } = this.first;
    // The server's clock may differ.
    const after = new Date(this.#started - 3_600_000).toISOString().replace(/\.\d+Z$/, "Z");
    const ids = { resultOf: "0", name: "Email/query", path: "/ids" };
    const [, answer] = await this.first.call([
      ["Email/query", { accountId, filter: { after }, limit: 200 }, "0"],
      ["Email/get", { accountId, "#ids": ids, properties: ["subject"] }, "1"],
    ]);
    const list = (answer?.[1].list ?? []) as { id: string; subject: string | null }[];
    const destroy = list.filter(({ subject }) => subject?.includes(this.runId)).map(({ id }) => id);
    if (destroy.length > 0) await this.first.call([["Email/set", { accountId, destroy }, "0"]]);
  }

  async #destroyTree(): Promise<void> {
    const parent = await this.#parent?.catch(() => undefined);
    // An aborted test may still create something meanwhile.
    for (let attempt = 0; parent !== undefined && attempt < 5; attempt++) {
      if (!(await destroyTree(this.first, parent).catch(() => true))) return;
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    if (parent !== undefined) throw new Error(`the mailbox ${this.parentName} is left behind`);
  }

  close(): void {
    this.first.close();
    this.second?.close();
  }
}

/** Destroys a mailbox, its emails and all mailboxes below it, the deepest first; false if it does not exist. */
async function destroyTree(client: Client, root: string): Promise<boolean> {
  const { accountId } = client;
  const [answer] = await client.call([["Mailbox/get", { accountId, ids: null, properties: ["parentId"] }, "0"]]);
  const all = (answer?.[1].list ?? []) as { id: string; parentId: string | null }[];
  if (!all.some(({ id }) => id === root)) return false;
  const below = (id: string): string[] => [
    ...all.filter(({ parentId }) => parentId === id).flatMap((child) => below(child.id)),
    id,
  ];
  await destroyMailboxes(client, below(root));
  return true;
}

/** Destroys mailboxes in the given order, children before their parents; one by one if the server fails on all together. */
export async function destroyMailboxes(client: Client, ids: readonly string[]): Promise<void> {
  const { accountId } = client;
  const limit = Number(client.session.capabilities["urn:ietf:params:jmap:core"]?.maxObjectsInSet ?? 50);
  for (let at = 0; at < ids.length; at += limit) {
    const some = ids.slice(at, at + limit);
    const gone = (destroy: readonly string[]): Promise<unknown> =>
      client.call([["Mailbox/set", { accountId, destroy, onDestroyRemoveEmails: true }, "0"]]);
    await gone(some).catch(async () => {
      for (const id of some) await gone([id]).catch(() => {});
    });
  }
}
