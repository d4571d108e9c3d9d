import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentEvents } from "../../src/base/events.ts";
import { encodeId } from "../../src/base/ids.ts";
import { silentLog } from "../../src/base/log.ts";
import type { Services } from "../../src/jmap/method.ts";
import { methods } from "../../src/jmap/methods.ts";
import { Ingest } from "../../src/mail/deliver/ingest.ts";
import { ProcessBus } from "../../src/push/bus.ts";
import { WebPush, type WebPushOptions } from "../../src/push/webpush/webpush.ts";
import { Blobs } from "../../src/store/blobs/blobs.ts";
import { DiskObjects } from "../../src/store/blobs/objects/disk.ts";
import { addDomain } from "../../src/store/directory/directory.ts";
import { findMailboxes } from "../../src/store/mail/mailbox-places.ts";
import { setQuota } from "../../src/store/mail/quota.ts";
import { examineAccount } from "../../src/store/upkeep/doctor.ts";
import { afterwards } from "./afterwards.ts";
import { TestClient, testLogin, testServices } from "./jmap.ts";
import { createTestAccount, createTestStore } from "./postgres.ts";

type Json = Record<string, unknown>;
type Made = Record<string, Json> | null;

/** All services that a method may need, with a database and a folder for the test file. */
export interface FuzzHost {
  services: Services;
  /** Logged errors: nothing that a client sends may cause one. */
  failures: unknown[];
  world(): Promise<FuzzWorld>;
}

/** A login with an account of some content, and a second account to copy from. */
export interface FuzzWorld {
  client: TestClient;
  account: string;
  other: string;
  address: string;
  inbox: string;
  archive: string;
  identity: string;
  /** A message with an attachment, its thread, and the message as a blob. */
  email: string;
  thread: string;
  blob: string;
  /** An email of the other account. */
  otherEmail: string;
  /** A report that a message was read, as a blob. */
  report: string;
  /** New objects, for calls that use them up. */
  newMailbox(): Promise<string>;
  newEmail(text?: string): Promise<string>;
  /** From the login's own address. */
  newDraft(): Promise<string>;
  newIdentity(): Promise<string>;
  newSubmission(): Promise<string>;
  newPushSubscription(): Promise<string>;
  /** The doctor's findings in both accounts. */
  findings(): Promise<unknown[]>;
}

export async function createFuzzHost(): Promise<FuzzHost> {
  const store = await createTestStore();
  const folder = mkdtempSync(join(tmpdir(), "posthorn-fuzz-"));
  const failures: unknown[] = [];
  const log = { ...silentLog, error: (fields: object) => void failures.push(fields) };
  const { clock } = store;
  const bus = new ProcessBus({ store, log, sweepIntervalMs: 60_000 });
  const resolver = { resolve4: async () => [], resolve6: async () => [] } as unknown as WebPushOptions["resolver"];
  const holder = { name: "fuzz", isGone: () => false };
  const contact = "mailto:postmaster@home.test";
  const deps = { store, bus, clock, resolver, random: randomBytes, log, events: silentEvents, holder, contact };
  const webPush = await WebPush.open({ ...deps, allowPrivateTargets: false });
  afterwards(async () => {
    await webPush.close();
    await bus.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const objects = new DiskObjects({ folder, clock, random: randomBytes });
  const blobs = new Blobs({ objects, clock, cacheBytes: 1_000_000 });
  const services = testServices(store, { log, webPush, blobs, ingest: new Ingest(store) });
  const findings = async (ids: number[]) =>
    (await Promise.all(ids.map((id) => examineAccount({ store, objects, log, progress: () => {} }, id)))).flat();
  return { services, failures, world: () => createFuzzWorld(services, findings) };
}

const mail = (subject: string, { more = "", from = "eve@there.test" } = {}) =>
  `From: Eve <${from}>\r\nTo: a@example.com\r\nSubject: ${subject}\r\nMessage-ID: <${subject}@there.test>\r\n` +
  `Date: Mon, 2 Feb 2026 03:04:05 +0000\r\n${more}MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n` +
  "--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nA quick brown fox.\r\n" +
  "--b\r\nContent-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\naGVsbG8=\r\n--b--\r\n";

/** A message that asks for a read receipt. */
export const asking = (subject: string) =>
  mail(subject, { more: "Disposition-Notification-To: Eve <eve@there.test>\r\n" });

const report =
  "From: eve@there.test\r\nSubject: read\r\nMIME-Version: 1.0\r\n" +
  'Content-Type: multipart/report; report-type=disposition-notification; boundary="r"\r\n\r\n' +
  "--r\r\nContent-Type: text/plain\r\n\r\nIt was read.\r\n--r\r\nContent-Type: message/disposition-notification\r\n\r\n" +
  "Final-Recipient: rfc822; eve@there.test\r\nOriginal-Message-ID: <hello@there.test>\r\n" +
  "Disposition: manual-action/MDN-sent-manually; displayed\r\n--r--\r\n";

let count = 0;

async function createFuzzWorld(
  services: Services,
  findings: (ids: number[]) => Promise<unknown[]>,
): Promise<FuzzWorld> {
  const { store } = services;
  const address = `fuzz${++count}@example.com`;
  await addDomain(store, { name: address.split("@")[1]!, dkimSelector: "s", dkimKey: "" });
  const ids = [await createTestAccount(store, address), await createTestAccount(store)] as const;
  await store.write(ids[0], "server", (tx) => setQuota(tx, 1_000_000_000));
  const newClient = () =>
    new TestClient(methods, services, testLogin([...ids], { login: `login${++count}@example.com` }));
  const client = newClient();
  const [account, other] = ids.map((id) => encodeId("u", id)) as [string, string];
  const role = async (id: number, wanted: string) =>
    encodeId("m", (await findMailboxes(store.reader(id, "server"))).find((place) => place.role === wanted)!.id);
  const make = async (name: string, args: Json, record: Json, key = "create"): Promise<Json> => {
    const answer = await client.call(name, { ...args, [key]: { a: record } });
    const made = (answer.created as Made)?.a;
    if (!made) throw new Error(`${name}: ${JSON.stringify(answer)}`);
    return made;
  };
  const upload = async (text: string, accountId = account) =>
    (await make("Blob/upload", { accountId }, { data: [{ "data:asText": text }] })).id as string;
  const take = async (accountId: string, blobId: string, mailbox: string) =>
    make("Email/import", { accountId }, { blobId, mailboxIds: { [mailbox]: true } }, "emails");

  const inbox = await role(ids[0], "inbox");
  const blob = await upload(mail("hello"));
  const email = await take(account, blob, inbox);
  const theirs = await take(other, await upload(mail("theirs"), other), await role(ids[1], "inbox"));
  const identities = await client.call("Identity/get");
  const identity = (identities.list as Json[])[0]!.id as string;
  const newEmail = async (text = mail(`new${++count}`)) =>
    (await take(account, await upload(text), inbox)).id as string;
  const newDraft = () => newEmail(mail(`draft${++count}`, { from: address }));
  const world: FuzzWorld = {
    client,
    account,
    other,
    address,
    inbox,
    archive: await role(ids[0], "archive"),
    identity,
    email: email.id as string,
    thread: email.threadId as string,
    blob,
    otherEmail: theirs.id as string,
    report: await upload(report),
    newEmail,
    newDraft,
    newMailbox: async () => (await make("Mailbox/set", {}, { name: `box ${++count}` })).id as string,
    newIdentity: async () => (await make("Identity/set", {}, { name: "Me", email: address })).id as string,
    newSubmission: async () => {
      const envelope = { mailFrom: { email: address }, rcptTo: [{ email: "eve@there.test" }] };
      const record = { identityId: identity, emailId: await newDraft(), envelope };
      return (await make("EmailSubmission/set", {}, record)).id as string;
    },
    async newPushSubscription() {
      // The number of a login's subscriptions is limited.
      world.client = newClient();
      const create = { a: { deviceClientId: "device", url: "https://push.invalid/a" } };
      const { responses } = await world.client.request([["PushSubscription/set", { create }, "c"]]);
      return (responses[0]![1].created as Made)!.a!.id as string;
    },
    findings: () => findings([...ids]),
  };
  return world;
}
