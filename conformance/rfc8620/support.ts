import type { Answer } from "../client/http.ts";
import type { Json, SetResult } from "../client/types.ts";
import type { TestContext } from "../runner/context.ts";
import { equal, fail, isObject, ok, show } from "../runner/expect.ts";

/** An Id that no server made. */
export const noSuchId = "zz-no-such-id-9f2c";

export function parse(answer: Answer): unknown {
  const text = answer.body.toString("utf8");
  try {
    return JSON.parse(text);
  } catch {
    return fail(`the body is no JSON: ${show(text)}`);
  }
}

export function mediaType(answer: Answer): string {
  return String(answer.headers["content-type"] ?? "")
    .split(";", 1)[0]
    ?.trim()
    .toLowerCase() as string;
}

/** An HTTP-level error; should it name a type of RFC 8620 §3.6.1, then the right one. */
export function refused(answer: Answer, type: string): void {
  const { status } = answer;
  ok(status >= 400 && status < 500, `expected an HTTP error of the client, got ${status} ${show(String(answer.body))}`);
  const problem = problemOf(answer);
  if (String(problem?.type).startsWith("urn:ietf:params:jmap:error:")) equal(problem?.type, errorType(type), "type");
}

/** The whole problem details object of RFC 7807. */
export function problem(answer: Answer, type: string): Json {
  refused(answer, type);
  equal(mediaType(answer), "application/problem+json", "Content-Type");
  const details = parse(answer);
  isObject(details, "the body");
  equal(details.type, errorType(type), "type");
  if ("status" in details) equal(details.status, answer.status, "status");
  return details;
}

export function problemOf(answer: Answer): Json | undefined {
  try {
    const body: unknown = JSON.parse(answer.body.toString("utf8"));
    return typeof body === "object" && body !== null ? (body as Json) : undefined;
  } catch {
    return undefined;
  }
}

function errorType(type: string): string {
  return `urn:ietf:params:jmap:error:${type}`;
}

/** A type for the tests that every standard method must pass whatever the type is. */
export type Subject = {
  type: string;
  make: (t: TestContext) => Promise<string>;
  /** An update that changes something, each time it is asked for. */
  change: (t: TestContext) => Json;
  destroy: (t: TestContext, id: string) => Promise<SetResult>;
  /** Some of its properties, none with a cost. */
  some: readonly string[];
};

export const subjects: readonly Subject[] = [
  {
    type: "Mailbox",
    make: (t) => t.mailbox(),
    change: (t) => ({ name: t.unique("renamed") }),
    destroy: (t, id) => t.set("Mailbox", { destroy: [id] }),
    some: ["name", "sortOrder"],
  },
  {
    type: "Email",
    make: async (t) => (await t.email()).id,
    change: (t) => ({ [`keywords/${t.unique("k")}`]: true }),
    destroy: (t, id) => t.set("Email", { destroy: [id] }),
    some: ["subject", "keywords"],
  },
];

export async function updateOne(t: TestContext, type: string, id: string, patch: Json): Promise<Json | null> {
  const answer = await t.set(type, { update: { [id]: patch } });
  ok(answer.updated && id in answer.updated, `the update was refused: ${show(answer.notUpdated)}`);
  return answer.updated[id] ?? null;
}

/** The id of the only record that a /set created under `creationId`. */
export function createdId(answer: SetResult, creationId: string): string {
  const id = answer.created?.[creationId]?.id;
  ok(typeof id === "string", `${creationId} was not created: ${show(answer.notCreated)}`);
  return id;
}
