import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Client, one } from "../conformance/client/client.ts";
import type { GetResult, Json, QueryResult } from "../conformance/client/types.ts";
import { all } from "./support/contracts/object-store.ts";
import { message } from "./support/messages.ts";
import { until } from "./support/ports.ts";
import { createTestDatabase, urlOf } from "./support/postgres.ts";
import { emptyBucket, objectsIn, startStrict } from "./support/s3/bucket.ts";
import { type Bucket, bucketOf, optionsFor } from "./support/s3/place.ts";
import type { StrictServer } from "./support/s3/strict-server.ts";
import { startServer, type TestServer } from "./support/server.ts";
import { deliver, type SmtpFailure } from "./support/smtp-client.ts";

const [user, password] = ["ann@bodies.test", "correct horse"];

/** A server that keeps its bodies in the bucket and none in memory, with one account. */
async function startOn(bucket: Bucket, env: Record<string, string> = {}): Promise<TestServer> {
  const server = await startServer({
    isShared: true,
    env: { ...optionsFor(bucket), POSTHORN_CACHE_BYTES: "0", POSTHORN_DEMO: "false", ...env },
  });
  await server.addAccount(user, password);
  return server;
}

const send = (server: TestServer, data: Buffer) =>
  deliver({ port: server.smtpPort, from: "bob@elsewhere.test", to: user, data });

/** The answer's first line, or that of the refusal. */
const sent = (server: TestServer, data: Buffer) => send(server, data).then(String, (error: SmtpFailure) => error.line);

async function emailOf(client: Client, subject: string): Promise<Json> {
  const filter = { subject };
  const ids = await until(`the mail ${subject}`, async () => {
    const found = await one<QueryResult>(client, "Email/query", { filter });
    return found.ids.length > 0 ? found.ids : undefined;
  });
  const properties = ["blobId", "size", "bodyValues", "textBody", "attachments"];
  const { list } = await one<GetResult>(client, "Email/get", { ids, properties, fetchTextBodyValues: true });
  return list[0] as Json;
}

const namesOf = (bucket: Bucket) => all(objectsIn(bucket, { prefix: "mail/" }).list());

test("a server whose database is elsewhere too is ready with a data folder that is not there yet", async () => {
  const { connection } = await createTestDatabase();
  const env = { ...optionsFor(bucketOf(await startStrict())), DATABASE_URL: urlOf(connection), POSTHORN_DEMO: "false" };
  const server = await startServer({ env, startTimeoutMs: 25_000 });
  expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
  await server.dispose();
}, 60_000);

describe("a server with its bodies in S3", () => {
  let bucket: Bucket;
  let server: TestServer;
  let ann: Client;
  beforeAll(async () => {
    bucket = await emptyBucket();
    server = await startOn(bucket);
    ann = await server.login(user, password);
  }, 310_000);
  afterAll(() => server?.dispose());

  test("receives mail, and reads it whole, in parts and in ranges", async () => {
    const content = randomBytes(3_000_000);
    const attachments = [{ filename: "photo.jpg", content, contentType: "image/jpeg" }];
    expect(
      await sent(server, await message({ subject: "With a photo", text: "Look at this.\r\n", attachments })),
    ).toMatch(/^250 /);
    const email = await emailOf(ann, "With a photo");
    const [part] = email.textBody as { partId: string }[];
    expect((email.bodyValues as Record<string, { value: string }>)[part!.partId]!.value).toBe("Look at this.\n");
    const [photo] = email.attachments as { blobId: string }[];
    expect((await ann.download(photo!.blobId)).body.equals(content)).toBe(true);
    const middle = await ann.download(photo!.blobId, "photo.jpg", "image/jpeg", "bytes=1000000-1000099");
    expect(middle.body.equals(content.subarray(1_000_000, 1_000_100))).toBe(true);
    const whole = (await ann.download(email.blobId as string)).body;
    expect(whole.length).toBe(email.size);
    const tail = await ann.download(email.blobId as string, "mail", "message/rfc822", "bytes=-100");
    expect(tail.body.equals(whole.subarray(-100))).toBe(true);
    expect((await namesOf(bucket)).map(({ size }) => size)).toEqual([email.size]);
  });

  test("uploads, also larger than what is held in memory, and copies between forms", async () => {
    const bytes = randomBytes(4_000_000);
    const { blobId } = await ann.upload(bytes);
    expect((await ann.download(blobId)).body.equals(bytes)).toBe(true);
    const small = await ann.upload("Subject: imported\r\n\r\nBody\r\n", "message/rfc822");
    const { list } = await one<GetResult>(ann, "Mailbox/get");
    const inbox = list.find(({ role }) => role === "inbox")!.id as string;
    const emails = { a: { blobId: small.blobId, mailboxIds: { [inbox]: true } } };
    expect(await one(ann, "Email/import", { emails })).toMatchObject({ created: { a: { size: 27 } } });
  });

  test("doctor finds all bodies, and is told of one that is missing", async () => {
    expect(await server.cli(["doctor"])).toMatchObject({ code: 0, stdout: expect.stringContaining("All is well.") });
    await send(server, await message({ subject: "To be lost" }));
    const { size } = await emailOf(ann, "To be lost");
    const objects = objectsIn(bucket, { prefix: "mail/" });
    const [lost] = (await namesOf(bucket)).filter((object) => object.size === size);
    await objects.remove([lost!]);
    expect(await server.cli(["doctor"])).toMatchObject({ code: 1, stdout: expect.stringMatching(/1 difference/) });
  });
});

describe("while S3 is away", () => {
  let s3: StrictServer;
  let server: TestServer;
  let ann: Client;
  let email: Json;
  beforeAll(async () => {
    s3 = await startStrict();
    server = await startOn(bucketOf(s3));
    ann = await server.login(user, password);
    await send(server, await message({ subject: "Before", text: "Still here.\r\n" }));
    email = await emailOf(ann, "Before");
  }, 100_000);
  afterAll(() => server?.dispose());

  const calls = async () => {
    const ids = (await one<QueryResult>(ann, "Email/query", { filter: { subject: "Before" } })).ids;
    const draft = { mailboxIds: {}, subject: "x" };
    const get = { ids, properties: ["bodyValues", "subject"], fetchTextBodyValues: true };
    const answers = await ann.call([
      ["Email/get", { accountId: ann.accountId, ids, properties: ["subject", "preview"] }, "list"],
      ["Email/get", { accountId: ann.accountId, ...get }, "read"],
      ["Email/set", { accountId: ann.accountId, create: { a: draft } }, "draft"],
      ["Email/set", { accountId: ann.accountId, update: { [ids[0]!]: { "keywords/$flagged": true } } }, "flag"],
    ]);
    return answers.map(([name, args, id]) => [id, name === "error" ? args.type : name]);
  };

  test.each(["stopped", "hanging"])(
    "%s: mail is put off, bodies are unavailable, all else works; then it recovers by itself",
    async (way) => {
      if (way === "stopped") await s3.stop();
      else s3.fault = () => "hang";
      expect(await sent(server, await message({ subject: `During ${way}` }))).toMatch(/^451 4\.3\.0 /);
      const begin = performance.now();
      expect(await sent(server, await message({ subject: `During ${way}` }))).toMatch(/^451 4\.3\.0 /);
      expect(performance.now() - begin).toBeLessThan(10_000);
      expect(await calls()).toEqual([
        ["list", "Email/get"],
        ["read", "serverUnavailable"],
        ["draft", "serverUnavailable"],
        ["flag", "Email/set"],
      ]);
      const download = await ann.fetch(ann.downloadUrl(email.blobId as string, "mail", "message/rfc822"));
      expect([download.status, download.headers["retry-after"]]).toEqual([503, "30"]);
      const upload = await ann.fetch(ann.expand(ann.session.uploadUrl, { accountId: ann.accountId }), {
        method: "POST",
        headers: { "content-type": "text/plain" },
        body: "x",
      });
      expect(upload.status).toBe(503);
      await expect
        .poll(async () => (await fetch(`${server.url}/readyz`)).text(), { timeout: 5_000 })
        .toMatch(/"bodies":"(can't be reached|gives no answer)"/);

      s3.fault = () => undefined;
      await s3.start();
      await expect
        .poll(async () => (await fetch(`${server.url}/readyz`)).status, { timeout: 20_000, interval: 300 })
        .toBe(200);
      expect(await sent(server, await message({ subject: `After ${way}` }))).toMatch(/^250 /);
      expect((await ann.download(email.blobId as string)).body.length).toBe(email.size);
      expect((await emailOf(ann, `After ${way}`)).size).toBeGreaterThan(0);
      expect(server.output.match(/bodies can be reached again/g)?.length).toBeGreaterThan(0);
      expect(server.output).not.toMatch(/strict secret|"msg":"(request|method) failed"/);
    },
  );
});

describe("bodies that move from the disk to S3", () => {
  let s3: StrictServer;
  let bucket: Bucket;
  let server: TestServer;
  let ann: Client;
  const emails: Json[] = [];
  beforeAll(async () => {
    s3 = await startStrict();
    bucket = bucketOf(s3);
    server = await startOn(bucket, { POSTHORN_BODIES: "disk", POSTHORN_BODIES_FALLBACK: `s3://${bucket.name}/mail` });
    ann = await server.login(user, password);
  }, 100_000);
  afterAll(() => server?.dispose());

  const expectAllReadable = async () => {
    for (const { blobId, size } of emails) expect((await ann.download(blobId as string)).body.length).toBe(size);
  };
  const blobs = (...args: string[]) => server.cli(["blobs", ...args]);
  const says = (code: number, text: RegExp) => ({ code, stdout: expect.stringMatching(text) });

  test("are read wherever they are, and new ones go to S3", async () => {
    for (const [index, subject] of ["One", "Two", "Three"].entries()) {
      const attachments = index === 0 ? [{ filename: "large", content: randomBytes(2_500_000) }] : [];
      await send(server, await message({ subject, text: `This is ${subject}.\r\n`, attachments }));
      emails.push(await emailOf(ann, subject));
    }
    expect(await namesOf(bucket)).toEqual([]);
    const place = `s3://${bucket.name}/mail`;
    Object.assign(server.env, { POSTHORN_BODIES: place, POSTHORN_BODIES_FALLBACK: "disk" });
    await server.restart();
    await expectAllReadable();
    await send(server, await message({ subject: "Four" }));
    emails.push(await emailOf(ann, "Four"));
    expect(await namesOf(bucket)).toHaveLength(1);
  });

  test("are counted by status and a dry run, and missed by verify", async () => {
    const wanted = /^Would copy 3 bodies \(.*\) from disk to s3:\/\/.*\/mail; 0 bodies .* were there\.$/m;
    expect(await blobs("copy", "--dry-run")).toMatchObject(says(0, wanted));
    expect(await blobs("status")).toMatchObject(says(0, /3 bodies .* of disk are not in s3:/));
    expect(await blobs("verify")).toMatchObject(says(1, /1 body .* intact\.\n3 bodies .* of disk are not in s3:/));
  });

  test("are copied while they are read; a copy that was interrupted goes on", async () => {
    let puts = 0;
    s3.fault = ({ method }) => (method === "PUT" && ++puts > 2 ? "error" : undefined);
    const cut = await blobs("copy");
    expect([cut.code, cut.stderr]).toEqual([1, expect.stringContaining("bodies can't be reached")]);
    s3.fault = () => undefined;
    await expectAllReadable();
    expect(await blobs("copy")).toMatchObject(
      says(0, /^Copied [12] bod.* from disk to s3:.*; [12] bod.* were there\.$/m),
    );
    expect(await blobs("verify")).toMatchObject(says(0, /4 bodies .* intact\.\nAll of disk is in s3:/));
  });

  test("need the disk no more", async () => {
    delete server.env.POSTHORN_BODIES_FALLBACK;
    await server.stop();
    await rm(join(server.dataFolder, "blobs"), { recursive: true });
    await server.start();
    await expectAllReadable();
    expect(await server.cli(["doctor"])).toMatchObject(says(0, /All is well\./));
  });
});
