import { encodeId } from "../../src/base/ids.ts";
import type { Services } from "../../src/jmap/method.ts";
import { methods } from "../../src/jmap/methods.ts";
import { encodeBlobId } from "../../src/store/blobs/blob-id.ts";
import { findMailboxes } from "../../src/store/mail/mailbox-places.ts";
import { TestClient, testLogin } from "./jmap.ts";
import { createTestAccount } from "./postgres.ts";

export type Json = Record<string, unknown>;

/** A new account, with helpers for tests of its emails. */
export interface EmailWorld {
  account: number;
  client: TestClient;
  inbox: string;
  /** Uploads a message; returns its blobId. */
  upload(bytes: Buffer | string): Promise<string>;
  /** Creates an email in the inbox with Email/set; returns the created properties or the error. */
  create(email: Json): Promise<Json>;
  get(id: unknown, properties?: string[], args?: Json): Promise<Json>;
  /** Downloads the message of an email. */
  source(id: unknown): Promise<string>;
}

export async function createEmailWorld(services: Services): Promise<EmailWorld> {
  const { store, blobs } = services;
  const account = await createTestAccount(store);
  const client = new TestClient(methods, services, testLogin([account]));
  const places = await findMailboxes(store.reader(account, "server"));
  const inbox = encodeId("m", places.find((place) => place.role === "inbox")!.id);

  async function upload(bytes: Buffer | string): Promise<string> {
    const blob = await blobs.put(Buffer.from(bytes));
    await store.write(account, "server", (tx) =>
      blobs.reference(tx, blob, { expiresAt: new Date(Date.now() + 3600_000) }),
    );
    return encodeBlobId(blob.sha256);
  }

  async function create(email: Json): Promise<Json> {
    const answer = await client.call("Email/set", { create: { a: { mailboxIds: { [inbox]: true }, ...email } } });
    const { created, notCreated } = answer as Record<string, Record<string, Json> | null>;
    return created?.a ?? notCreated?.a ?? answer;
  }

  async function get(id: unknown, properties?: string[], args: Json = {}): Promise<Json> {
    const answer = await client.call("Email/get", { ids: [id], ...(properties && { properties }), ...args });
    return (answer.list as Json[])[0]!;
  }

  async function source(id: unknown): Promise<string> {
    const { blobId } = await get(id, ["blobId"]);
    return (await blobs.read(store.reader(account, "server"), blobId as string))!.toString();
  }

  return { account, client, inbox, upload, create, get, source };
}
