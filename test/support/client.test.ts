import { createServer, type Server } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocketServer } from "ws";
import { type Client, connect, MethodFailure, one } from "../../conformance/client/client.ts";
import { eventParser, openEventSource, type ServerEvent } from "../../conformance/client/eventsource.ts";
import { openWebSocket, SocketRequestError, webSocketUrl } from "../../conformance/client/websocket.ts";

const session = {
  capabilities: {
    "urn:ietf:params:jmap:core": {},
    "urn:ietf:params:jmap:mail": {},
    "urn:ietf:params:jmap:websocket": { url: "/ws", supportsPush: true },
  },
  accounts: {},
  primaryAccounts: { "urn:ietf:params:jmap:mail": "a1" },
  apiUrl: "/api",
  uploadUrl: "/upload/{accountId}",
  downloadUrl: "/download/{accountId}/{blobId}/{name}?type={type}",
  eventSourceUrl: "/events?types={types}&closeafter={closeafter}&ping={ping}",
};
type Call = [string, Record<string, unknown>, string];
const answer = ({ methodCalls }: { methodCalls: Call[] }) => ({
  sessionState: "0",
  methodResponses: methodCalls.map(([name, args, id]) =>
    name === "Bad/get" ? ["error", { type: "unknownMethod" }, id] : [name, args, id],
  ),
});

/** A scripted server: the tests above this folder use the real one. */
function peer(): Server {
  const server = createServer(async (req, res) => {
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const path = req.url ?? "";
    if (req.headers.authorization !== `Basic ${btoa("u:p")}`) return res.writeHead(401).end("{}");
    if (path === "/.well-known/jmap") return res.writeHead(301, { location: "/session" }).end();
    if (path === "/session") return res.end(JSON.stringify(session));
    if (path === "/api") return res.end(JSON.stringify(answer(JSON.parse(String(body)))));
    if (path === "/upload/a1") return res.writeHead(201).end(JSON.stringify({ blobId: "b1", size: body.length }));
    if (path.startsWith("/download/a1/b1/x%20y")) return res.end(path);
    if (!path.startsWith("/events?types=Email%2CThread&closeafter=no&ping=0")) return res.writeHead(404).end();
    res.write(": hello\n\nevent: ping\ndata: {}\n\nid: 7\r\nevent: state\r\n");
    res.end(`data: {"@type":"StateChange",\ndata: "changed":{"a1":{"Email":"9"}}}\n\n`);
  });
  const sockets = new WebSocketServer({ server, handleProtocols: () => "jmap" });
  sockets.on("connection", (socket) =>
    socket.on("message", (data) => {
      const message = JSON.parse(String(data));
      if (message.using?.length === 0) {
        const type = "urn:ietf:params:jmap:error:unknownCapability";
        socket.send(JSON.stringify({ "@type": "RequestError", requestId: message.id, type }));
      } else if (message["@type"] === "Request") {
        socket.send(JSON.stringify({ "@type": "Response", requestId: message.id, ...answer(message) }));
      } else if (message["@type"] === "WebSocketPushEnable") {
        socket.send(JSON.stringify({ "@type": "StateChange", changed: { a1: { Email: message.pushState } } }));
      } else socket.send(JSON.stringify({ "@type": "RequestError", type: "urn:ietf:params:jmap:error:notRequest" }));
    }),
  );
  return server;
}

describe("the JMAP client", () => {
  let server: Server;
  let client: Client;
  let url: string;
  beforeAll(async () => {
    server = peer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
    client = await connect({ url, user: "u", password: "p" });
  });
  afterAll(() => {
    client.close();
    server.closeAllConnections();
    server.close();
  });

  it("finds the session and calls methods", async () => {
    expect(client.accountId).toBe("a1");
    expect(await one(client, "Email/get", { ids: ["1"] })).toEqual({ accountId: "a1", ids: ["1"] });
    expect(await one(client, "Core/echo", { x: 1 })).toEqual({ x: 1 });
    const failure = await one(client, "Bad/get").catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(MethodFailure);
    expect(failure).toMatchObject({ type: "unknownMethod" });
    await expect(connect({ url, user: "u", password: "wrong" })).rejects.toMatchObject({ status: 401 });
  });

  it("uploads and downloads by the session's templates", async () => {
    expect(await client.upload("four")).toMatchObject({ blobId: "b1", size: 4 });
    const { body } = await client.download("b1", "x y", "text/plain");
    expect(String(body)).toBe("/download/a1/b1/x%20y?type=text%2Fplain");
    await expect(client.download("b2")).rejects.toMatchObject({ status: 404 });
  });

  it("reads an event stream", async () => {
    const stream = await openEventSource(client, { types: ["Email", "Thread"] });
    const events: ServerEvent[] = [];
    for await (const event of stream) events.push(event);
    expect(events.map(({ event, id }) => [event, id])).toEqual([
      ["ping", undefined],
      ["state", "7"],
    ]);
    const again = await openEventSource(client, { types: ["Email", "Thread"] });
    expect(await again.nextState()).toMatchObject({ changed: { a1: { Email: "9" } }, id: "7" });
  });

  it("parses events correctly wherever the chunks end", () => {
    const text = "id: 1\r\ndata: a\r\ndata: b\r\n\r\ndata:c\n\n";
    for (let size = 1; size < 12; size++) {
      const events: ServerEvent[] = [];
      const feed = eventParser((event) => events.push(event));
      for (let at = 0; at < text.length; at += size) feed(text.slice(at, at + size));
      expect(events.map((event) => event.data)).toEqual(["a\nb", "c"]);
    }
  });

  it("talks over a WebSocket", async () => {
    expect(webSocketUrl(client).href).toBe(`${url.replace("http", "ws")}/ws`);
    const socket = await openWebSocket(client);
    const [first, second] = await Promise.all([
      socket.request([["Core/echo", { n: 1 }, "a"]]),
      socket.request([["Core/echo", { n: 2 }, "b"]]),
    ]);
    expect([first[0]?.[1], second[0]?.[1]]).toEqual([{ n: 1 }, { n: 2 }]);
    socket.enablePush(["Email"], "s5");
    expect((await socket.nextPush()).changed).toEqual({ a1: { Email: "s5" } });
    await expect(socket.nextPush(30)).rejects.toThrow("no push in 30 ms");
    const refused = await socket.request([["Core/echo", {}, "c"]], []).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(SocketRequestError);
    expect(refused).toMatchObject({ problem: { type: "urn:ietf:params:jmap:error:unknownCapability" } });
    socket.send({ "@type": "Nonsense" });
    expect(await socket.strays.next(1000)).toMatchObject({ "@type": "RequestError" });
    await socket.close();
  });
});
