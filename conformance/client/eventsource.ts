import type { Client } from "./client.ts";
import { HttpFailure, open } from "./http.ts";
import { Inbox } from "./inbox.ts";
import type { StateChange } from "./types.ts";

export type ServerEvent = {
  event: string;
  /** The last id that the stream set, possibly in an earlier event. */
  id: string | undefined;
  /** Whether this event set it. */
  setsId: boolean;
  data: string;
};
export type EventSourceOptions = {
  types?: string[];
  closeafter?: "state" | "no";
  ping?: number;
  lastEventId?: string;
};

/** Splits a stream of text into events as in the HTML standard; comments are skipped. */
export function eventParser(emit: (event: ServerEvent) => void): (text: string) => void {
  let rest = "";
  let event = "";
  let id: string | undefined;
  let setsId = false;
  let data: string[] = [];
  const line = (text: string): void => {
    if (text === "") {
      if (data.length > 0) emit({ event: event || "message", id, setsId, data: data.join("\n") });
      event = "";
      setsId = false;
      data = [];
      return;
    }
    const colon = text.indexOf(":");
    const field = colon < 0 ? text : text.slice(0, colon);
    const value = colon < 0 ? "" : text.slice(colon + 1).replace(/^ /, "");
    if (field === "event") event = value;
    else if (field === "data") data.push(value);
    else if (field === "id") {
      id = value;
      setsId = true;
    }
  };
  return (text) => {
    const lines = (rest + text).split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? "";
    for (const one of lines) line(one);
  };
}

/** RFC 8620 §7.3. Iterates until the server ends the stream or `close` is called. */
export class EventStream implements AsyncIterable<ServerEvent> {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly #inbox = new Inbox<ServerEvent>();
  readonly #destroy: () => void;

  constructor(response: Awaited<ReturnType<typeof open>>) {
    this.status = response.statusCode ?? 0;
    this.headers = response.headers;
    this.#destroy = () => response.destroy();
    response.setEncoding("utf8");
    response.on(
      "data",
      eventParser((event) => this.#inbox.put(event)),
    );
    const ended = (): void => this.#inbox.end(new Error("the event stream ended"));
    response.on("end", ended);
    response.on("error", ended);
    response.on("close", ended);
  }

  next(timeoutMs = 5000): Promise<ServerEvent> {
    return this.#inbox.next(timeoutMs, "server-sent event");
  }

  /** The next `state` event; pings are skipped. */
  async nextState(timeoutMs = 5000): Promise<StateChange & { id: string | undefined }> {
    const end = Date.now() + timeoutMs;
    for (;;) {
      const event = await this.next(Math.max(1, end - Date.now()));
      if (event.event === "state") return { ...(JSON.parse(event.data) as StateChange), id: event.id };
    }
  }

  async *[Symbol.asyncIterator](): AsyncIterator<ServerEvent> {
    while (!this.#inbox.ended) {
      try {
        yield await this.#inbox.next(2 ** 31 - 1);
      } catch {
        return;
      }
    }
  }

  close(): void {
    this.#destroy();
  }
}

export async function openEventSource(client: Client, options: EventSourceOptions = {}): Promise<EventStream> {
  const url = client.expand(client.session.eventSourceUrl, {
    types: options.types?.join(",") ?? "*",
    closeafter: options.closeafter ?? "no",
    ping: String(options.ping ?? 0),
  });
  const response = await open(undefined, url, {
    headers: {
      authorization: client.authorization,
      accept: "text/event-stream",
      ...(options.lastEventId !== undefined && { "last-event-id": options.lastEventId }),
    },
  });
  if (response.statusCode !== 200) {
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    throw new HttpFailure("event source, which should answer 200 and a stream", {
      status: response.statusCode ?? 0,
      headers: response.headers,
      body,
    });
  }
  return new EventStream(response);
}
