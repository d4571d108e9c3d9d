import { once } from "node:events";
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import { afterwards } from "../../../test/support/afterwards.ts";
import { oddText, spoiler, timeFor, tries } from "../../../test/support/fuzz.ts";
import { basic, createHttpWorld, type HttpWorld, known } from "../../../test/support/http-world.ts";
import { encodeId } from "../../base/ids.ts";
import { capabilities } from "../capability-names.ts";

type Json = Record<string, unknown>;

let world: HttpWorld;
let socket: WebSocket;
const received: Json[] = [];
let count = 0;

beforeAll(async () => {
  world = await createHttpWorld();
  const headers = { authorization: basic(known.user, known.password) };
  socket = new WebSocket(`ws://127.0.0.1:${world.port}/jmap/ws`, "jmap", { headers });
  socket.on("message", (data) => received.push(JSON.parse(String(data)) as Json));
  afterwards(() => socket.terminate());
  await once(socket, "open");
});

const request = (calls: unknown[], id: string) => ({
  "@type": "Request",
  id,
  using: [capabilities.core, capabilities.mail],
  methodCalls: calls,
  createdIds: { a: "m1" },
});

const isAnswer = (message: Json) => message["@type"] !== "StateChange";

/** Waits for the answer to a message, if there is one, and checks that the connection still works. */
async function answersTo(text: string, isAnswered: boolean): Promise<Json[]> {
  received.length = 0;
  const until = async (arrived: () => boolean) => {
    while (!arrived()) {
      expect(socket.readyState).toBe(WebSocket.OPEN);
      await once(socket, "message", { signal: AbortSignal.timeout(10_000) });
    }
  };
  socket.send(text);
  if (isAnswered) await until(() => received.some(isAnswer));
  const id = `alive${++count}`;
  socket.send(JSON.stringify(request([["Core/echo", { id }, "c"]], id)));
  const isEcho = ({ requestId }: Json) => requestId === id;
  await until(() => received.some(isEcho));
  const echo = { "@type": "Response", methodResponses: [["Core/echo", { id }, "c"]] };
  expect(received.find(isEcho)).toMatchObject(echo);
  return received.filter((message) => !isEcho(message));
}

const problems = ["unknownCapability", "notJSON", "notRequest", "limit"].map(
  (name) => `urn:ietf:params:jmap:error:${name}`,
);

/** RFC 8887 §4.3: a Response, a RequestError of RFC 8620 §3.6.1, or a push that was asked for. */
function expectTyped(messages: Json[]): void {
  for (const message of messages) {
    expect(["Response", "RequestError", "StateChange"]).toContain(message["@type"]);
    if (message["@type"] === "Response") expect(message.methodResponses).toEqual(expect.any(Array));
    if (message["@type"] !== "RequestError") continue;
    expect(problems).toContain(message.type);
    expect(message).toMatchObject({ status: 400, detail: expect.any(String) });
    expect(["string", "object"]).toContain(typeof message.requestId);
  }
  expect(JSON.stringify(messages)).not.toMatch(/node_modules|\.ts:\d|serverFail/);
  expect(world.failures).toEqual([]);
}

test("whatever a message says, it gets a typed answer and the connection goes on", {
  timeout: timeFor(150, 300),
}, async () => {
  const accountId = encodeId("u", world.account);
  const good = [
    request(
      [
        ["Mailbox/get", { accountId, ids: null }, "0"],
        ["Core/echo", { a: [1] }, "1"],
      ],
      "one",
    ),
    { "@type": "WebSocketPushEnable", dataTypes: ["Email", "Mailbox"], pushState: "1-1" },
    { "@type": "WebSocketPushDisable" },
  ];
  const message = fc.tuple(fc.constantFrom(...good), spoiler).map(([one, spoil]) => JSON.stringify(spoil(one)));
  await fc.assert(
    fc.asyncProperty(message, async (text) => {
      const { "@type": type } = (JSON.parse(text) ?? {}) as Json;
      const isPush = type === "WebSocketPushEnable" || type === "WebSocketPushDisable";
      const answers = await answersTo(text, !isPush);
      expectTyped(answers);
      const own = answers.filter(isAnswer);
      if (isPush) expect(own.map((answer) => answer["@type"])).toEqual(own.length > 0 ? ["RequestError"] : []);
      else expect(own).toHaveLength(1);
    }),
    tries(150),
  );
});

test("text that is not a message is refused", { timeout: timeFor(150, 300) }, async () => {
  const json = JSON.stringify(request([["Core/echo", { a: "\u00e9", b: [1, { c: null }] }, "c"]], "two"));
  const cut = fc.tuple(fc.nat(json.length), fc.nat(5), oddText).map(([at, length, odd]) => {
    return json.slice(0, at) + odd.slice(0, 20) + json.slice(at + length);
  });
  const deep = fc.nat(2_000).map((depth) => "[".repeat(depth) + "]".repeat(depth));
  const twice = fc.constant(`{"@type":"Request","@type":"Request"}`);
  const text = fc.oneof(cut, cut, oddText, fc.string({ unit: "binary", maxLength: 30 }), fc.json(), deep, twice);
  await fc.assert(
    fc.asyncProperty(text, async (text) => {
      const answers = await answersTo(text.toWellFormed(), true);
      expectTyped(answers);
      expect(answers.filter(isAnswer)).toHaveLength(1);
    }),
    tries(150),
  );
});
