import { once } from "node:events";
import { Agent, request } from "node:http";
import { WebSocket } from "ws";

/** A well-behaved client in its own process: sends over HTTP and over a WebSocket, one request at a time. */
const [port = "", credentials = "", account = ""] = process.argv.slice(2);
const using = ["urn:ietf:params:jmap:core", "urn:ietf:params:jmap:mail"];
const methodCalls = [["Mailbox/get", { accountId: account, ids: null }, "0"]];
const rest = 5;

/** Times in ms since they were last read; a request under way counts with its time so far. */
let taken: Record<"http" | "webSocket", number[]> = { http: [], webSocket: [] };
const begun: Partial<Record<"http" | "webSocket", number>> = {};

const agent = new Agent({ keepAlive: true, maxSockets: 1 });

async function overHttp(): Promise<void> {
  const headers = { authorization: credentials, "content-type": "application/json" };
  const req = request({ port, host: "127.0.0.1", path: "/jmap/api", method: "POST", agent, headers });
  req.end(JSON.stringify({ using, methodCalls }));
  const [response] = await once(req, "response");
  let text = "";
  for await (const part of response) text += part;
  if (!text.includes('"methodResponses"')) throw new Error(`${response.statusCode} ${text}`);
}

async function openWebSocket(): Promise<() => Promise<void>> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/jmap/ws`, "jmap", { headers: { authorization: credentials } });
  await once(socket, "open");
  return async () => {
    socket.send(JSON.stringify({ "@type": "Request", using, methodCalls }));
    const text = String((await once(socket, "message"))[0]);
    if (!text.includes('"methodResponses"')) throw new Error(text);
  };
}

async function keepAsking(kind: "http" | "webSocket", ask: () => Promise<void>): Promise<never> {
  for (;;) {
    const begin = performance.now();
    begun[kind] = begin;
    await ask();
    delete begun[kind];
    taken[kind].push(performance.now() - begin);
    await new Promise((resolve) => setTimeout(resolve, rest));
  }
}

function tell(): void {
  for (const kind of ["http", "webSocket"] as const) {
    const begin = begun[kind];
    if (begin !== undefined) taken[kind].push(performance.now() - begin);
  }
  process.send!(taken);
  taken = { http: [], webSocket: [] };
}

process.once("disconnect", () => process.exit());
process.on("message", tell);
void keepAsking("http", overHttp);
void keepAsking("webSocket", await openWebSocket());
