import { MethodFailure, one } from "../../conformance/client/client.ts";
import type { ChangesResult, GetResult, Json } from "../../conformance/client/types.ts";
import { type JmapSocket, openWebSocket } from "../../conformance/client/websocket.ts";
import type { Samples } from "./samples.ts";
import type { User } from "./user.ts";

const types = {
  Email: ["threadId", "mailboxIds", "keywords"],
  Mailbox: ["name", "totalEmails", "unreadEmails", "totalThreads", "unreadThreads"],
} as const;
type Type = keyof typeof types;
type Objects = Map<string, Json>;

/** Without a push, a client asks by itself this often. */
const askEveryMs = 5_000;
const reconnectMs = 500;

/** A client that is told by WebSocket that something changed, and then learns by /changes alone what. */
export class Follower {
  readonly #user: User;
  readonly #samples: Samples;
  readonly #copies: Record<Type, { state: string; objects: Objects }> = {
    Email: { state: "", objects: new Map() },
    Mailbox: { state: "", objects: new Map() },
  };
  readonly #timer: NodeJS.Timeout;
  #running: Promise<void> | undefined;
  #isAskedAgain = false;
  #socket: JmapSocket | undefined;
  #isClosed = false;
  pushes = 0;
  /** Times that it was told to begin anew. */
  restarts = 0;

  private constructor(user: User, samples: Samples) {
    this.#user = user;
    this.#samples = samples;
    this.#timer = setInterval(() => this.#ask(), askEveryMs);
  }

  static async start(user: User, samples: Samples): Promise<Follower> {
    const follower = new Follower(user, samples);
    for (const type of Object.keys(types) as Type[]) await follower.#fill(type);
    void follower.#listen();
    return follower;
  }

  get address(): string {
    return this.#user.address;
  }

  /** Begins to follow at its end what has changed by then; throws where the copy differs from the account. */
  async converge(): Promise<string[]> {
    await this.#running;
    await this.#sync();
    const differences: string[] = [];
    for (const type of Object.keys(types) as Type[]) {
      const { objects, state } = this.#copies[type];
      const fresh = await read(this.#user, type);
      const ids = new Set([...objects.keys(), ...fresh.objects.keys()]);
      const differing = [...ids].filter((id) => !isEqual(objects.get(id), fresh.objects.get(id)));
      const [id] = differing;
      if (id === undefined) continue;
      const [own, theirs] = [objects, fresh.objects].map((some) => JSON.stringify(some.get(id)));
      differences.push(
        `${this.address}: ${differing.length} of type ${type} differ at ${state} and ${fresh.state}, such as ${own} and ${theirs}`,
      );
    }
    return differences;
  }

  /** Whether a change that `change` makes is pushed within so many ms. */
  async isPushed(change: () => Promise<unknown>, withinMs: number): Promise<boolean> {
    const before = this.pushes;
    await change();
    for (const end = Date.now() + withinMs; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 50))) {
      if (this.pushes > before) return true;
    }
    return false;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    this.#socket?.socket.terminate();
    await this.#running;
  }

  async #listen(): Promise<void> {
    while (!this.#isClosed) {
      const socket = await openWebSocket(this.#user.client).catch(() => undefined);
      if (socket && !this.#isClosed) {
        this.#socket = socket;
        socket.enablePush(null);
        socket.socket.on("message", () => {
          this.pushes++;
          socket.drainPushes();
          this.#ask();
        });
        // What changed meanwhile was pushed to nobody.
        this.#ask();
        await socket.closed;
      }
      await new Promise((resolve) => setTimeout(resolve, reconnectMs));
    }
  }

  /** One at a time; what is asked meanwhile is asked once more. */
  #ask(): void {
    this.#isAskedAgain = true;
    this.#running ??= (async () => {
      while (this.#isAskedAgain && !this.#isClosed) {
        this.#isAskedAgain = false;
        await this.#samples.time("changes", [this.address], () => this.#sync());
      }
    })().finally(() => {
      this.#running = undefined;
    });
  }

  async #sync(): Promise<void> {
    for (const type of Object.keys(types) as Type[]) {
      try {
        while (await this.#page(type));
      } catch (error) {
        if (!(error instanceof MethodFailure && error.type === "cannotCalculateChanges")) throw error;
        this.restarts++;
        await this.#fill(type);
      }
    }
  }

  /** Returns whether there are more. What is fetched may be newer than the page; later pages then name it again. */
  async #page(type: Type): Promise<boolean> {
    const { client } = this.#user;
    const copy = this.#copies[type];
    const page = await one<ChangesResult>(client, `${type}/changes`, { sinceState: copy.state, maxChanges: 200 });
    const ids = [...page.created, ...page.updated];
    const got =
      ids.length > 0 ? await one<GetResult>(client, `${type}/get`, { ids, properties: types[type] }) : undefined;
    for (const id of [...page.destroyed, ...(got?.notFound ?? [])]) copy.objects.delete(id);
    for (const object of got?.list ?? []) copy.objects.set(object.id as string, object);
    copy.state = page.newState;
    return page.hasMoreChanges;
  }

  async #fill(type: Type): Promise<void> {
    this.#copies[type] = await read(this.#user, type);
  }
}

/** All objects of a type, without /changes. The state is that before them. */
async function read({ client }: User, type: Type): Promise<{ state: string; objects: Objects }> {
  const properties = types[type];
  if (type === "Mailbox") {
    const { list, state } = await one<GetResult>(client, "Mailbox/get", { properties });
    return { state, objects: byId(list) };
  }
  const { state } = await one<GetResult>(client, "Email/get", { ids: [], properties });
  return { state, objects: byId(await allEmails({ client } as User, properties)) };
}

const byId = (list: Json[]): Objects => new Map(list.map((object) => [object.id as string, object]));

/** Every email of the account. */
export async function allEmails({ client }: User, properties: readonly string[]): Promise<Json[]> {
  const found: Json[] = [];
  for (let anchor: string | undefined; ; ) {
    const from = anchor === undefined ? {} : { anchor, anchorOffset: 1 };
    const sort = [{ property: "receivedAt" }];
    const { ids } = await one<{ ids: string[] }>(client, "Email/query", { sort, limit: 500, ...from });
    if (ids.length === 0) return found;
    const { list } = await one<GetResult>(client, "Email/get", { ids, properties });
    found.push(...list);
    anchor = ids.at(-1);
  }
}

const isEqual = (one: Json | undefined, other: Json | undefined) => canonical(one) === canonical(other);

function canonical(value: unknown): string {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return JSON.stringify(value) ?? "";
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([name, one]) => `${name}:${canonical(one)}`).join()}}`;
}
