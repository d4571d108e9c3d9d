import * as http from "node:http";
import * as https from "node:https";

export type Answer = { status: number; headers: http.IncomingHttpHeaders; body: Buffer };
export type Ask = {
  method?: string;
  headers?: http.OutgoingHttpHeaders;
  body?: string | Uint8Array;
  timeoutMs?: number;
};

/** An unexpected status, with the whole answer. */
export class HttpFailure extends Error {
  readonly answer: Answer;
  readonly status: number;
  constructor(what: string, answer: Answer) {
    super(`${what}: HTTP ${answer.status} ${answer.body.toString("utf8", 0, 400)}`.trim());
    this.name = "HttpFailure";
    this.answer = answer;
    this.status = answer.status;
  }
}

export function agentFor(url: URL, connections: number): http.Agent {
  const options = { keepAlive: true, maxSockets: connections, noDelay: true };
  return url.protocol === "https:" ? new https.Agent(options) : new http.Agent(options);
}

/** Opens a request, and returns the answer before its body: for streams. */
export function open(agent: http.Agent | undefined, url: URL, ask: Ask): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    const send = url.protocol === "https:" ? https.request : http.request;
    const body = typeof ask.body === "string" ? Buffer.from(ask.body) : ask.body;
    const headers = body === undefined ? ask.headers : { "content-length": body.length, ...ask.headers };
    const request = send(url, { method: ask.method ?? "GET", headers: headers ?? {}, ...(agent && { agent }) });
    request.on("response", resolve);
    request.on("error", reject);
    if (ask.timeoutMs) {
      request.setTimeout(ask.timeoutMs, () =>
        request.destroy(new Error(`no answer from ${url.pathname} in ${ask.timeoutMs} ms`)),
      );
    }
    request.end(body);
  });
}

/** One request and its whole answer. Never retried: an interrupted request may have been carried out. */
export async function exchange(agent: http.Agent | undefined, url: URL, ask: Ask): Promise<Answer> {
  const response = await open(agent, url, ask);
  const chunks: Buffer[] = [];
  await new Promise<void>((resolve, reject) => {
    response.on("data", (chunk: Buffer) => chunks.push(chunk));
    response.on("end", () => (response.complete ? resolve() : reject(new Error("the answer was cut"))));
    response.on("error", reject);
  });
  const body = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
  return { status: response.statusCode ?? 0, headers: response.headers, body };
}
