import { signal } from "@preact/signals";
import { ownUrl } from "./client.ts";
import { readEvents } from "./event-source.ts";
import type { Session, StateChange } from "./types.ts";

/** Whether the server can be reached, as far as push knows. */
export type Reach = "connecting" | "live" | "lost";

interface Options {
  session: Session;
  types: readonly string[];
  onChange(change: StateChange): void;
  /** After each connection: what happened before it may have been missed. */
  onLive(): void;
  /** The server ended the connection since the credentials are no longer good. */
  onRefused(): void;
}

/** What tabs tell one another while one of them reads the event source. */
type Told = StateChange | "live" | "who reads?";

const maxPauseMs = 30_000;
/** A WebSocket that never opened so often in a row is taken for blocked on the way. */
const maxFailures = 2;
/** RFC 6455 §7.4.1: how the server ends what a revoked token opened. */
const policyViolation = 1008;

/**
 * RFC 8887 §4.3: hears of changes over a WebSocket, and connects again whenever the line is back. Where WebSockets fail, one tab
 * reads the event source and tells the others: each stream takes one of the browser's six connections to a host.
 */
export class Push {
  readonly reach = signal<Reach>("connecting");
  readonly #options: Options;
  #socket: WebSocket | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #failures = 0;
  #ended = new AbortController();
  #isFallback = false;
  #isReading = false;

  constructor(options: Options) {
    this.#options = options;
    const { signal: ended } = this.#ended;
    addEventListener("online", () => this.#again(0), { signal: ended });
    addEventListener("offline", () => this.#lose(), { signal: ended });
    // A machine that slept may hold a dead connection for minutes.
    addEventListener("pageshow", (event) => event.persisted && this.#again(0), { signal: ended });
    this.#connect();
  }

  close(): void {
    this.#ended.abort();
    clearTimeout(this.#timer);
    this.#socket?.close(1000);
  }

  /** Tries at once, if the line is lost: something else saw that the server answers. */
  wake(): void {
    if (this.reach.peek() === "lost") this.#again(0);
  }

  #connect(): void {
    const path = this.#options.session.capabilities["urn:ietf:params:jmap:websocket"]?.url;
    if (typeof path !== "string") {
      this.#fallBack();
      return;
    }
    const socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}${ownUrl(path)}`, "jmap");
    this.#socket = socket;
    let wasOpen = false;
    socket.onopen = () => {
      wasOpen = true;
      this.#failures = 0;
      socket.send(JSON.stringify({ "@type": "WebSocketPushEnable", dataTypes: this.#options.types }));
      this.#live();
    };
    socket.onmessage = ({ data }) => {
      const message = JSON.parse(String(data)) as { "@type": string; changed?: StateChange };
      if (message["@type"] === "StateChange" && message.changed) this.#options.onChange(message.changed);
    };
    socket.onclose = ({ code }) => {
      if (this.#socket !== socket || this.#ended.signal.aborted) return;
      this.#socket = undefined;
      if (code === policyViolation) this.#options.onRefused();
      if (!wasOpen) this.#failures++;
      this.reach.value = "lost";
      if (this.#failures >= maxFailures && navigator.onLine) this.#fallBack();
      else this.#again();
    };
  }

  #live(): void {
    this.reach.value = "live";
    this.#options.onLive();
  }

  #lose(): void {
    this.reach.value = "lost";
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
  }

  #again(pauseMs = Math.min(maxPauseMs, 1000 * 2 ** this.#failures) * (0.5 + Math.random())): void {
    clearTimeout(this.#timer);
    if (this.#isFallback) return;
    this.#timer = setTimeout(() => {
      if (this.#ended.signal.aborted) return;
      if (this.#socket) this.#lose();
      this.#connect();
    }, pauseMs);
  }

  #fallBack(): void {
    if (this.#isFallback) return;
    this.#isFallback = true;
    const channel = new BroadcastChannel("posthorn-push");
    const { signal: ended } = this.#ended;
    channel.onmessage = ({ data }: MessageEvent<Told>) => {
      if (data === "who reads?") {
        if (this.#isReading) channel.postMessage("live" satisfies Told);
      } else if (data === "live") this.#live();
      else this.#options.onChange(data);
    };
    ended.addEventListener("abort", () => channel.close());
    channel.postMessage("who reads?" satisfies Told);
    const read = () => this.#readForever(channel, ended);
    // Without a secure context there are no locks, and each tab reads for itself.
    if (navigator.locks) void navigator.locks.request("posthorn-push", { signal: ended }, read).catch(() => {});
    else void read();
  }

  async #readForever(channel: BroadcastChannel, ended: AbortSignal): Promise<void> {
    const url = ownUrl(this.#options.session.eventSourceUrl)
      .replace("{types}", this.#options.types.join(","))
      .replace("{closeafter}", "no")
      .replace("{ping}", "60");
    for (let failures = 0; !ended.aborted; failures++) {
      const opened = () => {
        failures = 0;
        this.#isReading = true;
        channel.postMessage("live" satisfies Told);
        this.#live();
      };
      await readEvents(url, { ended, opened, onState: (changed) => this.#hear(channel, changed) }).catch(() => {});
      if (ended.aborted) return;
      this.#isReading = false;
      this.reach.value = "lost";
      await new Promise((resolve) => setTimeout(resolve, Math.min(maxPauseMs, 1000 * 2 ** failures)));
    }
  }

  #hear(channel: BroadcastChannel, changed: StateChange): void {
    channel.postMessage(changed satisfies Told);
    this.#options.onChange(changed);
  }
}
