import { core, type Json, mail, type QueryResult, type SetResult } from "../client/types.ts";
import type { MadeEmail, TestContext } from "../runner/context.ts";
import type { Group, TestDefinition } from "../runner/define.ts";
import { ok, setError, show } from "../runner/expect.ts";

/** A section of RFC 8621 that needs no more than mail. */
export function mailGroup(section: string, title: string): Group {
  return { rfc: "rfc8621", section, title, requires: [core, mail] };
}

/** A set as JMAP writes it. */
export function yes(...names: readonly string[]): Record<string, true> {
  return Object.fromEntries(names.map((name) => [name, true]));
}

export type Part = {
  partId: string | null;
  blobId: string | null;
  size: number;
  name: string | null;
  type: string;
  charset: string | null;
  disposition: string | null;
  cid: string | null;
  language: string[] | null;
  location: string | null;
  headers?: { name: string; value: string }[];
  subParts?: Part[] | null;
};
export type BodyValue = { value: string; isEncodingProblem: boolean; isTruncated: boolean };
export type Email = Json & {
  id: string;
  blobId: string;
  threadId: string;
  mailboxIds: Record<string, boolean>;
  keywords: Record<string, boolean>;
  bodyStructure: Part;
  bodyValues: Record<string, BodyValue>;
  textBody: Part[];
  htmlBody: Part[];
  attachments: Part[];
};

/** One email with more arguments of Email/get than the context's own `find` knows. */
export async function getEmail(
  t: TestContext,
  id: string,
  properties: readonly string[] | null,
  args: Json = {},
): Promise<Email> {
  const { list } = await t.one<{ list: Email[] }>("Email/get", { ids: [id], properties, ...args });
  ok(list[0], `the email ${id} was not found`);
  return list[0];
}

/** The message is imported and asked for these properties. */
export async function imported(
  t: TestContext,
  raw: string | Uint8Array,
  properties: readonly string[],
  args: Json = {},
): Promise<Email> {
  const { id } = await t.email({ raw });
  return await getEmail(t, id, properties, args);
}

/** A header property of a message that is imported with just these further header lines. */
export async function header(t: TestContext, lines: readonly string[], property: string): Promise<unknown> {
  const { id } = await t.email({ headers: lines });
  return (await getEmail(t, id, [property]))[property];
}

/** Email/query inside the test's own mailbox. */
export async function query(t: TestContext, filter: Json | null, args: Json = {}): Promise<QueryResult> {
  const own = { inMailbox: await t.box() };
  const both = filter === null ? own : { operator: "AND", conditions: [own, filter] };
  return await t.one<QueryResult>("Email/query", { filter: both, ...args });
}

/** Creates an email in the test's own mailbox and says what the server answered. */
export async function tryCreate(t: TestContext, properties: Json): Promise<SetResult<MadeEmail>> {
  const box = await t.box();
  return await t.set<MadeEmail>("Email", { create: { k: { mailboxIds: yes(box), ...properties } } });
}

export async function create(t: TestContext, properties: Json): Promise<MadeEmail> {
  const answer = await tryCreate(t, properties);
  ok(answer.created?.k, `the email could not be created: ${show(answer.notCreated)}`);
  return answer.created.k;
}

/** A plain text body as Email/set wants it. */
export function textBody(value: string): Json {
  return { textBody: [{ partId: "1", type: "text/plain" }], bodyValues: { 1: { value } } };
}

/** The message as it is stored. */
export async function source(t: TestContext, blobId: string): Promise<string> {
  return (await t.client.download(blobId)).body.toString("utf8");
}

/** The update of one email must be refused. */
export async function updateRefused(
  t: TestContext,
  id: string,
  patch: Json,
  type: string | readonly string[] = "invalidProperties",
): Promise<void> {
  const answer = await t.set("Email", { update: { [id]: patch } });
  setError(answer.notUpdated, id, type);
}

export async function update(t: TestContext, type: string, id: string, patch: Json): Promise<void> {
  const answer = await t.set(type, { update: { [id]: patch } });
  ok(answer.updated && id in answer.updated, `${type} ${id} could not be updated: ${show(answer.notUpdated)}`);
}

/** Lines joined as a message has them. */
export function message(...lines: readonly string[]): string {
  return `${lines.join("\r\n")}\r\n`;
}

/** Many tests of one shape. */
export function table<T>(rows: readonly T[], make: (row: T) => TestDefinition): TestDefinition[] {
  return rows.map(make);
}

/** An Id that no server gives out, but could. */
export const nowhere = "Znone-0000-conformance";
