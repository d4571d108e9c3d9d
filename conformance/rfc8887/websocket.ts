import WebSocket from "ws";
import { core, type Json, mail, webSocket } from "../client/types.ts";
import { SocketRequestError, webSocketUrl } from "../client/websocket.ts";
import type { TestContext } from "../runner/context.ts";
import { defineTests } from "../runner/define.ts";
import { equal, fail, isString, matches, ok, same, sameMembers, show } from "../runner/expect.ts";

const rfc = "rfc8887";
const requires = [core, webSocket];

/** The HTTP status of a handshake; 101 when it succeeds. */
function handshake(t: TestContext, protocols: string[], headers: Record<string, string>): Promise<[number, string]> {
  const socket = new WebSocket(webSocketUrl(t.client), protocols, { headers });
  t.defer(() => socket.terminate());
  return new Promise((resolve) => {
    socket.on("open", () => resolve([101, socket.protocol]));
    socket.on("unexpected-response", (_, response) => resolve([response.statusCode ?? 0, ""]));
    // `ws` itself gives up when the server chose none of the protocols offered.
    socket.on("error", () => resolve([0, ""]));
  });
}

const discovery = defineTests({ rfc, section: "3", title: "Discovering support", requires }, [
  {
    id: "capability",
    level: "MUST",
    says: "The value of this property is an object that MUST contain url (the wss-URI) and supportsPush (Boolean).",
    run: (t) => {
      const found = t.session.capabilities[webSocket] as Json;
      isString(found.url, "url");
      equal(typeof found.supportsPush, "boolean", "type of supportsPush");
    },
  },
  {
    id: "wss",
    level: "MUST",
    says: "url: the wss-URI to use for initiating a JMAP-over-WebSocket handshake.",
    run: (t) => {
      if (t.client.sessionUrl.protocol !== "https:") t.skip("the session was asked for over plain HTTP");
      equal(webSocketUrl(t.client).protocol, "wss:", "scheme");
    },
  },
]);

const handshakes = defineTests({ rfc, section: "4", title: "The handshake", requires }, [
  {
    id: "unauthenticated",
    level: "MUST",
    says: "The handshake is authenticated as the API is; the server MUST reject one that is not.",
    run: async (t) => {
      const [status] = await handshake(t, ["jmap"], {});
      ok(status === 401 || status === 403, `status of the handshake: ${status}`);
    },
  },
  {
    id: "subprotocol",
    level: "MUST",
    says: "A server that accepts MUST include the value “jmap” in the Sec-WebSocket-Protocol header of its reply.",
    run: async (t) => {
      const { authorization } = t.client;
      same(await handshake(t, ["jmap"], { authorization }), [101, "jmap"], "status and subprotocol");
      same(await handshake(t, ["other", "jmap"], { authorization }), [101, "jmap"], "status and subprotocol of two");
    },
  },
  {
    id: "subprotocol-missing",
    level: "SHOULD",
    says: "The client MUST include the value “jmap” in the list of protocols; without it no JMAP connection is established.",
    run: async (t) => {
      const { authorization } = t.client;
      const [none] = await handshake(t, [], { authorization });
      ok(none !== 101, `status without a subprotocol: ${none}`);
      const [other] = await handshake(t, ["other"], { authorization });
      ok(other !== 101, `status with another subprotocol: ${other}`);
    },
  },
]);

const request = (id: string | undefined, methodCalls: unknown, more: Json = {}): Json => ({
  "@type": "Request",
  ...(id !== undefined && { id }),
  using: [core],
  methodCalls,
  ...more,
});
const echo = (n: number) => [["Core/echo", { n }, "c"]];

const messages = defineTests({ rfc, section: "4.3", title: "Messages", requires }, [
  {
    id: "fragmented",
    level: "MUST",
    says: "Fragmented WebSocket messages (split over multiple text frames) MUST be coalesced prior to parsing them as JSON objects.",
    run: async (t) => {
      const { socket, strays } = await t.webSocket();
      const text = JSON.stringify(request("frag", echo(1)));
      socket.send(text.slice(0, 20), { fin: false });
      socket.send(text.slice(20, 50), { fin: false });
      socket.send(text.slice(50), { fin: true });
      matches(await strays.next(5000), { "@type": "Response", requestId: "frag", methodResponses: echo(1) }, "answer");
    },
  },
  {
    id: "binary",
    level: "MUST",
    says: "Messages MUST be text frames; a binary one is ignored or closes the connection (1003).",
    run: async (t) => {
      const { socket, strays, closed } = await t.webSocket();
      socket.send(Buffer.from(JSON.stringify(request("bin", echo(1)))), { binary: true });
      const answer = await Promise.race([closed, strays.next(1500).catch(() => undefined)]);
      if (typeof answer === "number") equal(answer, 1003, "close code");
      else if (answer) equal(answer["@type"], "RequestError", `@type of ${show(answer)}`);
    },
  },
  {
    id: "not-json",
    level: "MUST",
    says: "A message that is no JSON is answered by a RequestError (notJSON) or closes the connection.",
    run: async (t) => {
      const { socket, strays, closed } = await t.webSocket();
      socket.send("no JSON");
      const answer = await Promise.race([closed, strays.next(5000).catch(() => fail("no answer"))]);
      if (typeof answer === "number") return;
      matches(answer, { "@type": "RequestError", type: "urn:ietf:params:jmap:error:notJSON" }, "answer");
    },
  },
  {
    id: "unknown-type",
    level: "MUST",
    says: "The messages MUST be in the form of a single Request, WebSocketPushEnable, or WebSocketPushDisable object.",
    run: async (t) => {
      const { socket, strays, closed } = await t.webSocket();
      socket.send(JSON.stringify({ ...request("odd", echo(1)), "@type": "NoSuchType" }));
      const answer = await Promise.race([closed, strays.next(5000).catch(() => fail("no answer"))]);
      if (typeof answer === "number") return;
      matches(answer, { "@type": "RequestError", type: "urn:ietf:params:jmap:error:notRequest" }, "answer");
    },
  },
]);

const requests = defineTests({ rfc, section: "4.3.2", title: "Requests and responses", requires }, [
  {
    id: "response",
    level: "MUST",
    says: "@type: this MUST be the string “Response”. requestId: MUST be returned if an “id” is included in the request.",
    run: async (t) => {
      const socket = await t.webSocket();
      const answer = (await socket.response(echo(7) as never, [core])) as unknown as Json;
      equal(answer["@type"], "Response", "@type");
      same(answer.methodResponses, echo(7), "methodResponses");
      isString(answer.sessionState, "sessionState");
      ok(!("createdIds" in answer), "createdIds came without being asked for");
    },
  },
  {
    id: "without-id",
    level: "MUST",
    says: "id (optional): a client-specified identifier for the request to be echoed back in the response.",
    run: async (t) => {
      const socket = await t.webSocket();
      socket.send(request(undefined, echo(2)));
      const answer = await socket.strays.next(5000);
      same([answer["@type"], answer.methodResponses], ["Response", echo(2)], "answer");
      equal(answer.requestId ?? null, null, "requestId");
    },
  },
  {
    id: "several-in-flight",
    level: "MUST",
    says: "The client may send further requests before it has a response; the “id” tells which response is whose.",
    run: async (t) => {
      const socket = await t.webSocket();
      const count = Math.min(4, t.limit("maxConcurrentRequests"));
      const numbers = Array.from({ length: count }, (_, at) => at);
      const answers = await Promise.all(numbers.map((n) => socket.request(echo(n) as never, [core])));
      same(
        answers.map(([first]) => first?.[1].n),
        numbers,
        "echoes",
      );
    },
  },
  {
    id: "created-ids",
    level: "MUST",
    says: "The Request object of RFC 8620 is extended (createdIds is one of its properties).",
    run: async (t) => {
      const socket = await t.webSocket();
      const answer = await socket.response(echo(1) as never, [core], { createdIds: { a: "b" } });
      same(answer.createdIds, { a: "b" }, "createdIds");
    },
  },
  {
    id: "method-error",
    level: "MUST",
    says: "The response is the Response object of RFC 8620 (a method-level error is part of it).",
    run: async (t) => {
      const socket = await t.webSocket();
      const [answer] = await socket.request([["No/such", {}, "x"]], [core]);
      matches(answer, ["error", { type: "unknownMethod" }, "x"], "response");
    },
  },
]);

async function problemOf(t: TestContext, calls: unknown, using: string[]): Promise<Json> {
  const socket = await t.webSocket();
  const error = await socket.request(calls as never, using).then(
    (answer) => fail(`answered with ${show(answer)}`),
    (failure: unknown) => failure,
  );
  if (!(error instanceof SocketRequestError)) throw error;
  matches(await socket.request(echo(5) as never, [core]), echo(5), "a request after the error");
  return error.problem;
}

const errors = defineTests({ rfc, section: "4.3.4", title: "Request-level errors", requires }, [
  {
    id: "request-error",
    level: "MUST",
    says: "@type: this MUST be the string “RequestError”. requestId: MUST be returned if an “id” is included in the request.",
    run: async (t) => {
      const problem = await problemOf(t, echo(1), ["https://conformance.example/none"]);
      equal(problem["@type"], "RequestError", "@type");
      equal(problem.type, "urn:ietf:params:jmap:error:unknownCapability", "type");
      isString(problem.requestId, "requestId");
    },
  },
  {
    id: "not-request",
    level: "MUST",
    says: "Request-level errors are those of RFC 8620 §3.6.1 (notRequest).",
    run: async (t) => {
      equal((await problemOf(t, "calls", [core])).type, "urn:ietf:params:jmap:error:notRequest", "type");
    },
  },
  {
    id: "limit",
    level: "MUST",
    says: "The limits of the core capability hold; the error names the limit.",
    run: async (t) => {
      const count = t.limit("maxCallsInRequest");
      if (count > 5000) t.skip(`maxCallsInRequest is ${count}`);
      const problem = await problemOf(
        t,
        Array.from({ length: count + 1 }, () => echo(1)[0]),
        [core],
      );
      matches(problem, { type: "urn:ietf:params:jmap:error:limit", limit: "maxCallsInRequest" }, "problem");
    },
  },
]);

async function pushing(t: TestContext, types: string[] | null, pushState?: string) {
  if (t.session.capabilities[webSocket]?.supportsPush !== true) t.skip("supportsPush is not true");
  const socket = await t.webSocket();
  socket.enablePush(types, pushState);
  // There is no answer to it; one to a later request tells that it was read.
  await socket.request(echo(0) as never, [core]);
  await t.sleep(200);
  return socket;
}

async function pushOf(t: TestContext, socket: Awaited<ReturnType<typeof pushing>>, type: string) {
  const end = Date.now() + 10_000;
  for (;;) {
    const change = await socket.nextPush(Math.max(1, end - Date.now()));
    if (change.changed[t.accountId]?.[type] !== undefined) return change;
  }
}

const push = defineTests({ rfc, section: "4.3.5", title: "Push", requires: [...requires, mail] }, [
  {
    id: "state-change",
    level: "MUST",
    says: "All push notifications take the form of a standard StateChange object (RFC 8620 §7.1).",
    exclusive: true,
    run: async (t) => {
      await t.box();
      const socket = await pushing(t, null);
      await t.mailbox();
      const change = await pushOf(t, socket, "Mailbox");
      equal(change["@type"], "StateChange", "@type");
      equal(change.changed[t.accountId]?.Mailbox, await t.state("Mailbox"), "state of Mailbox");
    },
  },
  {
    id: "off-at-first",
    level: "MUST",
    says: "A client enables push notifications from the server for the current connection by sending a WebSocketPushEnable object.",
    run: async (t) => {
      if (t.session.capabilities[webSocket]?.supportsPush !== true) t.skip("supportsPush is not true");
      const socket = await t.webSocket();
      await socket.request(echo(0) as never, [core]);
      await t.mailbox();
      await t.sleep(700);
      same(socket.drainPushes(), [], "pushes");
    },
  },
  {
    id: "data-types",
    level: "MUST",
    says: "dataTypes: a list of data type names that the client is interested in; if null, all. Other types are omitted from the TypeState object.",
    run: async (t) => {
      const socket = await pushing(t, ["Email"]);
      await t.mailbox();
      await t.email();
      const { changed } = await pushOf(t, socket, "Email");
      sameMembers(Object.keys(changed[t.accountId] ?? {}), ["Email"], "names of the types");
    },
  },
  {
    id: "disable",
    level: "MUST",
    says: "A client disables push notifications from the server for the current connection by sending a WebSocketPushDisable object.",
    run: async (t) => {
      const socket = await pushing(t, null);
      await t.mailbox();
      await pushOf(t, socket, "Mailbox");
      socket.disablePush();
      await socket.request(echo(0) as never, [core]);
      await t.sleep(300);
      socket.drainPushes();
      await t.mailbox();
      await t.sleep(700);
      same(socket.drainPushes(), [], "pushes");
    },
  },
  {
    id: "push-state",
    level: "SHOULD",
    says: "pushState: the last that the client received; upon it the server SHOULD immediately send all changes since that state token.",
    run: async (t) => {
      const socket = await pushing(t, null);
      await t.mailbox();
      const { pushState } = await pushOf(t, socket, "Mailbox");
      const known = pushState ?? t.skip("pushes have no pushState");
      await socket.close();
      await t.mailbox();
      await pushOf(t, await pushing(t, null, known), "Mailbox");
    },
  },
]);

export const webSocketTests = [...discovery, ...handshakes, ...messages, ...requests, ...errors, ...push];
