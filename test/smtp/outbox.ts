import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, beforeEach, expect } from "vitest";
import { methods } from "../../src/jmap/methods.ts";
import type { MailOutOptions } from "../../src/smtp/outbound/options.ts";
import { encodeBlobId } from "../../src/store/blobs/blob-id.ts";
import { TestClient, testLogin, testServices } from "../support/jmap.ts";
import { message } from "../support/messages.ts";
import { until } from "../support/ports.ts";
import { type SmtpSink, startSink } from "../support/smtp-sink.ts";
import { type MailHost, startMailHost } from "./host.ts";

/** Two accounts that send and a remote server that takes their mail, shared by the tests of a file. */
export let host: MailHost;
export let sink: SmtpSink;
export let ada: number;
export let bob: number;
/** Ada's account. */
export let client: TestClient;
export let identityId: string;

export type Json = Record<string, unknown>;
export interface Submission {
  id: string;
  threadId: string;
  undoStatus: string;
  sendAt: string;
  deliveryStatus: Record<string, { smtpReply: string; delivered: string }>;
  dsnBlobIds: string[];
  envelope: { mailFrom: { email: string }; rcptTo: { email: string }[] };
}

/** Starts both before the tests of the file, and stops them after. */
export function useOutbox(options: Partial<MailOutOptions> = {}): void {
  beforeAll(async () => {
    [host, sink] = await Promise.all([startMailHost(), startSink()]);
    host.startMailOut(sink.port, options);
    ada = await host.account("ada@here.test");
    bob = await host.account("bob@here.test");
    client = clientOf(ada);
    const { list } = await client.call("Identity/get", { ids: null });
    identityId = (list as { id: string }[])[0]!.id;
    host.dns.set("far.test", "MX", { preference: 10, exchange: "mx.far.test" });
    host.dns.set("mx.far.test", "A", "127.0.0.1");
    host.dns.set("other.test", "MX", { preference: 10, exchange: "mx.far.test" });
  });
  afterAll(async () => {
    await host.stop();
    await sink.stop();
  });
  beforeEach(() => sink.reset());
}

export function clientOf(account: number): TestClient {
  return new TestClient(
    methods,
    testServices(host.store, { blobs: host.blobs, ingest: host.ingest, random: randomBytes }),
    testLogin([account]),
  );
}

/** Imports a draft of these bytes; returns its id. */
export async function draft(raw: Buffer, by = client): Promise<string> {
  const blob = await host.blobs.put(raw);
  const account = by.login.accounts[0]!.id;
  await host.store.write(account, "server", (tx) => host.blobs.reference(tx, blob));
  const { list } = await by.call("Mailbox/get", { ids: null });
  const drafts = (list as { id: string; role: string }[]).find((mailbox) => mailbox.role === "drafts")!.id;
  const emails = {
    e: { blobId: encodeBlobId(blob.sha256), mailboxIds: { [drafts]: true }, keywords: { $draft: true } },
  };
  const { created } = await by.call("Email/import", { emails });
  return (created as { e: { id: string } }).e.id;
}

export const mail = (to: string, subject: string, more: Parameters<typeof message>[0] = {}) =>
  message({ from: "Ada <ada@here.test>", to, subject, ...more });

export async function submit(emailId: string, more: object = {}, args: object = {}): Promise<Json> {
  return (await client.call("EmailSubmission/set", {
    create: { s: { identityId, emailId, ...more } },
    ...args,
  })) as Json;
}

export async function sent(raw: Buffer, more: object = {}): Promise<Submission> {
  const answer = await submit(await draft(raw), more);
  expect(answer.notCreated).toBeNull();
  return { ...((answer.created as Record<string, unknown>).s as Submission) };
}

export async function refusal(raw: Buffer, more: object = {}): Promise<Record<string, unknown>> {
  const answer = await submit(await draft(raw), more);
  return (answer.notCreated as Record<string, Record<string, unknown>>).s!;
}

export async function get(id: string): Promise<Submission> {
  const { list } = await client.call("EmailSubmission/get", { ids: [id] });
  return (list as Submission[])[0]!;
}

export const status = (id: string, address: string, delivered: string) =>
  until(`${address} ${delivered}`, async () => {
    const found = (await get(id)).deliveryStatus[address];
    return found?.delivered === delivered ? found : undefined;
  });
