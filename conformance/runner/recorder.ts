import type { Observed } from "../client/client.ts";
import { show } from "./expect.ts";

/** One request and its answer as the report shows them. */
export type Exchange = {
  /** The login, if it is not the first user's. */
  user?: string;
  request: string;
  response: string;
  requestBody?: string;
  responseBody?: string;
  /** How often the request was repeated in a row; the answer is the last one. */
  times?: number;
};

const secret = /^(authorization|cookie|set-cookie|proxy-authorization)$/i;
const maxBodyLength = 20_000;

/** Keeps a test's requests and answers: the first and the last ones if there are many. */
export class Recorder {
  readonly #kept: Exchange[] = [];
  readonly #keep: number;
  #dropped = 0;

  constructor(keep = 30) {
    this.#keep = keep;
  }

  add(exchange: Exchange): void {
    this.#kept.push(exchange);
    if (this.#kept.length <= this.#keep) return;
    this.#kept.splice(this.#keep / 2, 1);
    this.#dropped++;
  }

  http({ url, ask, answer }: Observed, user?: string): void {
    const failed = answer instanceof Error;
    const requestBody = body(ask.body);
    const responseBody = failed ? String(answer) : body(answer.body);
    this.#addAsked({
      ...(user && { user }),
      request: `${ask.method ?? "GET"} ${url.pathname}${url.search}\n${headerLines(ask.headers ?? {})}`,
      response: failed ? "" : `HTTP ${answer.status}\n${headerLines(answer.headers)}`,
      ...(requestBody && { requestBody }),
      ...(responseBody && { responseBody }),
    });
  }

  /** Of a request that is repeated until it succeeds, the first and the last answer are kept. */
  #addAsked(exchange: Exchange): void {
    const [before, last] = this.#kept.slice(-2);
    if (before && last && alike(before, exchange) && alike(last, exchange)) {
      this.#kept[this.#kept.length - 1] = { ...exchange, times: (last.times ?? 1) + 1 };
    } else this.add(exchange);
  }

  /** An exchange other than an HTTP request: a frame, an SMTP session, a push. */
  note(request: string, response = ""): void {
    this.add({ request: cut(request), response: cut(response) });
  }

  get exchanges(): Exchange[] {
    if (this.#dropped === 0) return this.#kept;
    const gap = { request: `… ${this.#dropped} more exchanges …`, response: "" };
    return this.#kept.toSpliced(this.#keep / 2, 0, gap);
  }
}

function alike(a: Exchange, b: Exchange): boolean {
  return a.request === b.request && a.requestBody === b.requestBody && a.user === b.user;
}

function headerLines(headers: object): string {
  return Object.entries(headers)
    .map(([name, value]) => `${name}: ${secret.test(name) ? "…" : String(value)}`)
    .join("\n");
}

function cut(text: string): string {
  return text.length > maxBodyLength ? `${text.slice(0, maxBodyLength)}…` : text;
}

function body(bytes: string | Uint8Array | undefined): string | undefined {
  if (bytes === undefined || bytes.length === 0) return undefined;
  const text = cut(
    typeof bytes === "string" ? bytes : Buffer.from(bytes.subarray(0, maxBodyLength * 4)).toString("utf8"),
  );
  try {
    return cut(JSON.stringify(JSON.parse(text), null, 2));
  } catch {
    return text.includes("\0") ? show(text) : text;
  }
}
