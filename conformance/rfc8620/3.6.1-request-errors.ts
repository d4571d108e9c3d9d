import { core, type Invocation, type Json, mail } from "../client/types.ts";
import type { TestContext } from "../runner/context.ts";
import { defineTests, type TestDefinition } from "../runner/define.ts";
import { equal, isArray, ok, same } from "../runner/expect.ts";
import { problem, problemOf, refused } from "./support.ts";

const group = { rfc: "rfc8620", section: "3.6.1", title: "Request-level errors", requires: [core] };
const using = [core];
const echo: Invocation = ["Core/echo", {}, "0"];
const absent = "https://conformance.example/no-such-capability";

const notJson: readonly [string, string][] = [
  ["truncated", `{"using":["${core}"],"methodCalls":[`],
  ["text", "this is no JSON"],
  ["empty", ""],
  ["trailing", `{"using":["${core}"],"methodCalls":[]} {}`],
  ["comma", `{"using":["${core}"],"methodCalls":[],}`],
];

const notRequest: readonly [string, unknown][] = [
  ["array", []],
  ["null", null],
  ["string", "request"],
  ["using-missing", { methodCalls: [echo] }],
  ["calls-missing", { using }],
  ["using-no-array", { using: core, methodCalls: [echo] }],
  ["using-null", { using: null, methodCalls: [echo] }],
  ["using-of-numbers", { using: [1], methodCalls: [echo] }],
  ["calls-no-array", { using, methodCalls: { 0: echo } }],
  ["call-no-array", { using, methodCalls: [{ name: "Core/echo" }] }],
  ["call-short", { using, methodCalls: [["Core/echo", {}]] }],
  ["call-long", { using, methodCalls: [["Core/echo", {}, "0", "1"]] }],
  ["name-no-string", { using, methodCalls: [[1, {}, "0"]] }],
  ["arguments-no-object", { using, methodCalls: [["Core/echo", [], "0"]] }],
  ["arguments-null", { using, methodCalls: [["Core/echo", null, "0"]] }],
  ["id-no-string", { using, methodCalls: [["Core/echo", {}, 0]] }],
  ["created-ids-no-object", { using, methodCalls: [echo], createdIds: [] }],
  ["created-ids-of-numbers", { using, methodCalls: [echo], createdIds: { a: 1 } }],
];

const shapes: TestDefinition[] = [
  ...notJson.map(([name, body]) => ({
    id: `not-json[${name}]`,
    level: "MUST" as const,
    says: "notJSON: the request did not parse as I-JSON. The entire request is rejected with an appropriate HTTP error response code.",
    run: async (t: TestContext) => refused(await t.client.request(body), "notJSON"),
  })),
  ...notRequest.map(([name, body]) => ({
    id: `not-request[${name}]`,
    level: "MUST" as const,
    says: "notRequest: the request parsed as JSON but did not match the type signature of the Request object.",
    run: async (t: TestContext) => refused(await t.client.request(JSON.stringify(body)), "notRequest"),
  })),
  {
    id: "wrong-content-type",
    level: "MUST",
    says: "notJSON: the content type of the request was not “application/json”.",
    run: async (t) => {
      const body = JSON.stringify({ using, methodCalls: [echo] });
      refused(await t.client.request(body, { "content-type": "text/plain" }), "notJSON");
    },
  },
  {
    id: "unknown-capability",
    level: "MUST",
    says: "unknownCapability: the client included a capability in the “using” property of the request that the server does not support.",
    run: async (t) => {
      const body = JSON.stringify({ using: [core, absent], methodCalls: [echo] });
      refused(await t.client.request(body), "unknownCapability");
    },
  },
];

const problems: TestDefinition[] = [
  ["notJSON", "no JSON"],
  ["notRequest", "{}"],
  ["unknownCapability", JSON.stringify({ using: [core, absent], methodCalls: [echo] })],
].map(([type = "", body = ""]) => ({
  id: `problem-details[${type}]`,
  level: "SHOULD",
  says: "When an HTTP error response is returned to the client, the server SHOULD return a JSON “problem details” object as the response body, as per RFC 7807.",
  run: async (t) => problem(await t.client.request(body), type),
}));

/** `count` echoes in one request. */
function echoes(count: number): string {
  return JSON.stringify({ using, methodCalls: Array.from({ length: count }, () => echo) });
}

const limits: TestDefinition[] = [
  {
    id: "problem-details[limit]",
    level: "SHOULD",
    says: "When an HTTP error response is returned to the client, the server SHOULD return a JSON “problem details” object as the response body (to a client that sends all of a request over maxSizeRequest before it reads).",
    exclusive: true,
    run: async (t) => {
      const size = t.limit("maxSizeRequest");
      if (size > 64_000_000) t.skip(`maxSizeRequest is ${size}`);
      problem(await t.client.request(padded(size + 1)), "limit");
    },
  },
  {
    id: "whole-request",
    level: "MUST",
    says: "The entire request is rejected with an appropriate HTTP error response code.",
    requires: [mail],
    run: async (t) => {
      const name = t.unique("never");
      const parentId = await t.box();
      const set: Invocation = ["Mailbox/set", { accountId: t.accountId, create: { m: { name, parentId } } }, "0"];
      const body = JSON.stringify({ using: [core, mail, absent], methodCalls: [set] });
      refused(await t.client.request(body), "unknownCapability");
      const { ids } = await t.one<{ ids: string[] }>("Mailbox/query", { filter: { name } });
      same(ids, [], "mailboxes that the refused request made");
    },
  },
  {
    id: "max-calls",
    level: "MUST",
    says: "limit: the request was not processed as it would have exceeded one of the request limits, such as maxCallsInRequest. A “limit” property MUST also be present, containing the name of the limit being applied.",
    run: async (t) => {
      const count = t.limit("maxCallsInRequest");
      if (count > 5000) t.skip(`maxCallsInRequest is ${count}`);
      const answer = await t.client.request(echoes(count + 1));
      refused(answer, "limit");
      equal(problemOf(answer)?.limit, "maxCallsInRequest", "limit");
    },
  },
  {
    id: "max-calls-reached",
    level: "MUST",
    says: "maxCallsInRequest: the maximum number of method calls the server will accept in a single request to the API endpoint.",
    run: async (t) => {
      const count = t.limit("maxCallsInRequest");
      if (count > 5000) t.skip(`maxCallsInRequest is ${count}`);
      const answer = await t.client.request(echoes(count));
      equal(answer.status, 200, "HTTP status");
      const { methodResponses } = JSON.parse(String(answer.body)) as Json;
      isArray(methodResponses, "methodResponses");
      equal(methodResponses.length, count, "number of responses");
    },
  },
  {
    id: "max-size",
    level: "MUST",
    says: "limit: the request was not processed as it would have exceeded one of the request limits, such as maxSizeRequest. A “limit” property MUST also be present.",
    exclusive: true,
    run: async (t) => {
      const size = t.limit("maxSizeRequest");
      if (size > 64_000_000) t.skip(`maxSizeRequest is ${size}`);
      const answer = await t.client.request(padded(size + 1)).catch((error: NodeJS.ErrnoException) => {
        // A server may close the connection while the rest of the body is still on its way.
        if (error.code === "ECONNRESET" || error.code === "EPIPE") return undefined;
        throw error;
      });
      if (answer === undefined) return;
      refused(answer, "limit");
      equal(problemOf(answer)?.limit, "maxSizeRequest", "limit");
    },
  },
  {
    id: "large-request",
    level: "MUST",
    says: "maxSizeRequest: the maximum size, in octets, that the server will accept for a single request to the API endpoint.",
    exclusive: true,
    run: async (t) => {
      const size = t.limit("maxSizeRequest");
      if (size > 64_000_000) t.skip(`maxSizeRequest is ${size}`);
      equal((await t.client.request(padded(size))).status, 200, "HTTP status of a request of maxSizeRequest octets");
    },
  },
  {
    id: "max-concurrent",
    level: "MUST",
    says: "limit: the request would have exceeded maxConcurrentRequests. A “limit” property MUST also be present, containing the name of the limit being applied.",
    exclusive: true,
    run: async (t) => {
      const count = t.limit("maxConcurrentRequests");
      if (count > 100) t.skip(`maxConcurrentRequests is ${count}`);
      const answers = await Promise.all(Array.from({ length: count * 3 }, () => t.client.request(echoes(1))));
      for (const answer of answers.filter(({ status }) => status !== 200)) {
        refused(answer, "limit");
        equal(problemOf(answer)?.limit, "maxConcurrentRequests", "limit");
      }
      ok(answers.filter(({ status }) => status === 200).length >= Math.min(count, 1), "all requests were refused");
    },
  },
];

/** A good request of just so many octets. */
function padded(size: number): string {
  const body = echoes(1);
  return body + " ".repeat(size - body.length);
}

export const requestErrors = defineTests(group, [...shapes, ...problems, ...limits]);
