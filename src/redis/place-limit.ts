import type { PlaceLimit } from "../base/shared-counts.ts";
import type { RedisLink } from "./link.ts";

/**
 * A hash for each key: a field for each process, with the number of its places and when they come free if it says no more, in
 * seconds. Sets the process's number, unless all together would then have more than ARGV[3].
 */
const setScript = `
local now = tonumber(redis.call('TIME')[1])
local id, count, life = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[4])
local sum = count
local all = redis.call('HGETALL', KEYS[1])
for at = 1, #all, 2 do
  local number, free = string.match(all[at + 1], '^(%d+) (%d+)$')
  if all[at] ~= id then
    if tonumber(free) < now then redis.call('HDEL', KEYS[1], all[at]) else sum = sum + tonumber(number) end
  end
end
if sum > tonumber(ARGV[3]) then return 0 end
if count == 0 then redis.call('HDEL', KEYS[1], id) else
  redis.call('HSET', KEYS[1], id, string.format('%d %d', count, now + life))
  redis.call('EXPIRE', KEYS[1], life)
end
return 1`;

/** How often changes are written down. */
const tickMs = 10;
const maxPerTick = 200;
/** The places of a process that says nothing for so long come free. */
const lifeMs = 60_000;
/** How often a process says that it still holds its places. */
const sayEveryMs = lifeMs / 3;
const noLimit = 1e9;

interface Places {
  held: number;
  /** Places that Redis is being asked for. */
  asked: number;
  /** The number that Redis has, and when it was written; undefined if it is not known. */
  written: number | undefined;
  writtenAt: number;
  /** Counts what was sent: only the answer to the latest says what Redis has. */
  sent: number;
}

export interface RedisPlaceLimitOptions {
  link: RedisLink;
  /** Names this process. */
  id: string;
  /** Where the places of a key are. */
  keyOf: (key: string) => string;
  max: number;
}

/**
 * A limit of places that is counted in Redis. The first place of a key in this process is taken without asking, and one that
 * is soon left is not even told; further ones are asked for. While Redis is away, the process's own places count.
 */
export class RedisPlaceLimit implements PlaceLimit {
  readonly max: number;
  readonly #options: RedisPlaceLimitOptions;
  readonly #places = new Map<string, Places>();
  /** Keys whose number has changed since it was written. */
  readonly #changed = new Set<string>();
  #ticking: NodeJS.Timeout | undefined;
  readonly #saying: NodeJS.Timeout;

  constructor(options: RedisPlaceLimitOptions) {
    this.#options = options;
    this.max = options.max;
    this.#saying = setInterval(() => this.#sayAgain(), 1_000).unref();
    // What it has may be from before, or lost.
    options.link.client.on("ready", () => this.#forgetWritten());
  }

  take(key: string): boolean | Promise<boolean> {
    const places = this.#places.get(key) ?? { held: 0, asked: 0, written: 0, writtenAt: 0, sent: 0 };
    const count = places.held + places.asked;
    if (count >= this.max) return false;
    this.#places.set(key, places);
    const { link, keyOf } = this.#options;
    if (count > 0 && link.answers(keyOf(key))) return this.#ask(key, places);
    places.held++;
    this.#note(key);
    return true;
  }

  leave(key: string): void {
    const places = this.#places.get(key);
    if (!places || places.held === 0) return;
    places.held--;
    this.#note(key);
  }

  async close(): Promise<void> {
    clearInterval(this.#saying);
    for (const [key, places] of this.#places) {
      places.held = 0;
      this.#changed.add(key);
    }
    while (this.#changed.size > 0) await Promise.all(this.#writeSome());
    clearTimeout(this.#ticking);
  }

  async #ask(key: string, places: Places): Promise<boolean> {
    places.asked++;
    const isFree = await this.#set(key, places, { count: places.held + places.asked, max: this.max });
    places.asked--;
    if (isFree !== false) places.held++;
    this.#note(key);
    return isFree !== false;
  }

  #note(key: string): void {
    this.#changed.add(key);
    this.#tick();
  }

  #tick(): void {
    this.#ticking ??= setTimeout(() => {
      this.#ticking = undefined;
      this.#writeSome();
      if (this.#changed.size > 0) this.#tick();
    }, tickMs).unref();
  }

  #writeSome(): Promise<void>[] {
    const some = [...this.#changed].slice(0, maxPerTick);
    return some.map((key) => {
      this.#changed.delete(key);
      return this.#write(key);
    });
  }

  async #write(key: string): Promise<void> {
    const places = this.#places.get(key);
    // An answer that is under way writes as well.
    if (!places || places.asked > 0) return;
    if (places.held !== places.written) await this.#set(key, places, { count: places.held, max: noLimit });
    if (places.held + places.asked === 0 && places.written === 0) this.#places.delete(key);
  }

  /** Whether Redis took the number; undefined if it is away. */
  async #set(
    key: string,
    places: Places,
    { count, max }: { count: number; max: number },
  ): Promise<boolean | undefined> {
    const { link, id, keyOf } = this.#options;
    const name = keyOf(key);
    if (!link.answers(name)) return undefined;
    const sent = ++places.sent;
    const before = places.written;
    places.written = undefined;
    const answer = await link.ask("counts", name, (client) =>
      client.eval(setScript, 1, name, id, count, max, lifeMs / 1_000),
    );
    if (answer === undefined) return undefined;
    const isTaken = answer === 1;
    if (sent === places.sent) places.written = isTaken ? count : before;
    if (isTaken) places.writtenAt = performance.now();
    return isTaken;
  }

  #sayAgain(): void {
    const { link, keyOf } = this.#options;
    const before = performance.now() - sayEveryMs;
    for (const [key, places] of this.#places) {
      if (places.written === places.held && places.writtenAt > before) continue;
      // The other nodes of a Cluster are told though one is away.
      if (!link.answers(keyOf(key))) continue;
      places.written = undefined;
      this.#changed.add(key);
    }
    if (this.#changed.size > 0) this.#tick();
  }

  #forgetWritten(): void {
    for (const [key, places] of this.#places) {
      places.written = undefined;
      this.#changed.add(key);
    }
    if (this.#changed.size > 0) this.#tick();
  }
}
