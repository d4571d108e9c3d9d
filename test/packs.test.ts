import { afterAll, beforeAll, expect, test } from "vitest";
import { type Client, one } from "../conformance/client/client.ts";
import type { GetResult, QueryResult } from "../conformance/client/types.ts";
import { all } from "./support/contracts/object-store.ts";
import { message } from "./support/messages.ts";
import { until } from "./support/ports.ts";
import { objectsIn, startStrict } from "./support/s3/bucket.ts";
import { type Bucket, bucketOf, optionsFor } from "./support/s3/place.ts";
import type { StrictServer } from "./support/s3/strict-server.ts";
import { startServer, type TestServer } from "./support/server.ts";
import { deliver, type SmtpFailure } from "./support/smtp-client.ts";

const [user, password] = ["ann@packs.test", "correct horse"];
let s3: StrictServer;
let bucket: Bucket;
let server: TestServer;
let ann: Client;

beforeAll(async () => {
  s3 = await startStrict();
  bucket = bucketOf(s3);
  server = await startServer({
    isShared: true,
    env: { ...optionsFor(bucket), POSTHORN_CACHE_BYTES: "0", POSTHORN_DEMO: "false" },
  });
  await server.addAccount(user, password);
  ann = await server.login(user, password);
}, 100_000);
afterAll(() => server?.dispose());

/** The answers' first lines, or those of the refusals, to so many mails that are sent at once. */
async function sendAtOnce(count: number, topic: string): Promise<string[]> {
  const mails = await Promise.all(
    Array.from({ length: count }, (_, nth) =>
      message({ subject: `${topic} ${nth}`, text: `${topic} text ${nth}.\r\n` }),
    ),
  );
  return Promise.all(
    mails.map((data) =>
      deliver({ port: server.smtpPort, from: "bob@elsewhere.test", to: user, data }).then(
        String,
        (error: SmtpFailure) => error.line,
      ),
    ),
  );
}

interface Mail {
  subject: string;
  blobId: string;
  size: number;
  bodyValues: Record<string, { value: string }>;
  textBody: { partId: string }[];
}

/** Waits for so many mails on the topic, and reads each as a text and whole. */
async function expectReadable(count: number, topic: string): Promise<void> {
  const ids = await until(`${count} mails on ${topic}`, async () => {
    const found = await one<QueryResult>(ann, "Email/query", { filter: { subject: topic } });
    return found.ids.length === count ? found.ids : undefined;
  });
  const properties = ["subject", "blobId", "size", "bodyValues", "textBody"];
  const { list } = await one<GetResult>(ann, "Email/get", { ids, properties, fetchTextBodyValues: true });
  expect(list).toHaveLength(count);
  for (const { subject, blobId, size, bodyValues, textBody } of list as unknown as Mail[]) {
    const nth = subject.split(" ").at(-1);
    expect(bodyValues[textBody[0]!.partId]!.value).toBe(`${topic} text ${nth}.\n`);
    expect((await ann.download(blobId)).body.length).toBe(size);
  }
}

const puts = () => s3.seen.filter(({ method, key }) => method === "PUT" && /\/\d{4}-\d{2}-\d{2}\//.test(key));
const stored = () => all(objectsIn(bucket, { prefix: "mail/" }).list());
const says = (code: number, text: RegExp) => ({ code, stdout: expect.stringMatching(text) });

test("50 mails at once are few PUTs, and all are read", async () => {
  s3.seen.length = 0;
  for (const line of await sendAtOnce(50, "Together")) expect(line).toMatch(/^250 /);
  expect(puts().length).toBeLessThan(25);
  await expectReadable(50, "Together");
  const metrics = await (await fetch(server.metricsUrl)).text();
  expect(metrics).toMatch(/^posthorn_packs_total\{act="written"\} [1-9]/m);
  expect(metrics).toMatch(/^posthorn_pack_members_total\{act="written"\} [1-9]/m);
});

test("a packed mail is imported, its text is found, and doctor and verify know it", async () => {
  const { list } = await one<GetResult>(ann, "Mailbox/get");
  const inbox = list.find(({ role }) => role === "inbox")!.id as string;
  const { ids } = await one<QueryResult>(ann, "Email/query", { filter: { subject: "Together" } });
  const { list: mails } = await one<GetResult>(ann, "Email/get", { ids, properties: ["blobId", "size"] });
  const { blobId, size } = mails[0] as unknown as Mail;
  const emails = { a: { blobId, mailboxIds: { [inbox]: true } } };
  expect(await one(ann, "Email/import", { emails })).toMatchObject({ created: { a: { blobId, size } } });
  const filter = { body: "text" };
  const found = await one(ann, "SearchSnippet/get", { emailIds: ids.slice(0, 3), filter });
  expect((found.list as { preview: string }[]).map(({ preview }) => preview)).toEqual(
    Array(3).fill(expect.stringContaining("<mark>text</mark>")),
  );
  expect(await server.cli(["reindex", "--all"])).toMatchObject({ code: 0 });
  expect(await server.cli(["doctor"])).toMatchObject(says(0, /All is well\./));
  expect(await server.cli(["blobs", "verify"])).toMatchObject(says(0, /50 bodies .* intact\./));
});

test("when the PUT of a pack fails, all its mails are put off, and none is lost or half there", async () => {
  const before = (await stored()).length;
  s3.fault = ({ method }) => (method === "PUT" ? "error" : undefined);
  for (const line of await sendAtOnce(30, "Refused")) expect(line).toMatch(/^451 4\.3\.0 /);
  s3.fault = () => undefined;
  expect((await stored()).length).toBe(before);
  await until("bodies can be written again", async () => {
    const [line] = await sendAtOnce(1, "Trial");
    return line!.startsWith("250") || undefined;
  });
  for (const line of await sendAtOnce(30, "Accepted")) expect(line).toMatch(/^250 /);
  await expectReadable(30, "Accepted");
  expect((await one<QueryResult>(ann, "Email/query", { filter: { subject: "Refused" } })).ids).toEqual([]);
});

test("what was acknowledged survives kill -9, wherever its delivery is", async () => {
  const lines = await sendAtOnce(50, "Killed");
  await server.kill();
  for (const line of lines) expect(line).toMatch(/^250 /);
  await server.start();
  ann = await server.login(user, password);
  await expectReadable(50, "Killed");
});

test("packs are turned off by an option; those of before are read all the same", async () => {
  server.env.POSTHORN_PACKS = "false";
  await server.restart();
  ann = await server.login(user, password);
  s3.seen.length = 0;
  for (const line of await sendAtOnce(20, "Alone")) expect(line).toMatch(/^250 /);
  expect(puts()).toHaveLength(20);
  expect(puts().filter(({ key }) => key.endsWith(".pack"))).toEqual([]);
  await expectReadable(20, "Alone");
  await expectReadable(50, "Killed");
});

test("bodies in packs are read from S3 while new ones go to the disk", async () => {
  const place = server.env.POSTHORN_BODIES!;
  Object.assign(server.env, { POSTHORN_BODIES: "disk", POSTHORN_BODIES_FALLBACK: place, POSTHORN_PACKS: "true" });
  await server.restart();
  ann = await server.login(user, password);
  await expectReadable(50, "Killed");
  expect((await sendAtOnce(1, "Last"))[0]).toMatch(/^250 /);
  await expectReadable(1, "Last");
});

test("they are copied to the disk while the server runs", async () => {
  const count = (await stored()).length;
  expect(await server.cli(["blobs", "copy"])).toMatchObject(says(0, new RegExp(`^Copied ${count} bodies`, "m")));
  expect(await server.cli(["blobs", "verify"])).toMatchObject(says(0, /All of s3:.* is in disk\./));
});

test("then they need S3 no more", async () => {
  await s3.stop();
  await expectReadable(50, "Killed");
  await expectReadable(30, "Accepted");
});
