import request from "supertest";
import { expect, test } from "vitest";
import { createEndpoints, guest, owner, removed } from "../../../test/support/endpoints.ts";
import { capabilities } from "../capability-names.ts";

const { url, account, other, full } = await createEndpoints();
const at = request(url);
const get = (path: string, headers: object = {}) => at.get(path).set({ ...owner, ...headers });
const upload = (bytes: Buffer | string, headers: object = {}, to = account) =>
  at
    .post(`/jmap/upload/${to}/`)
    .set({ ...owner, "Content-Type": "application/octet-stream", ...headers })
    .send(bytes);
const call = async (name: string, args: object, headers: object = {}) => {
  const using = [capabilities.core, capabilities.mail, capabilities.blob, capabilities.mdn];
  const methodCalls = [[name, { accountId: account, ...args }, "0"]];
  const { body } = await at
    .post("/jmap/api")
    .set({ ...owner, ...headers })
    .send({ using, methodCalls });
  return body.methodResponses[0][1];
};

test("an upload can be downloaded whole and in ranges, and is not sent again when unchanged", async () => {
  expect((await upload("x", guest, removed)).status).toBe(404);
  const uploaded = await upload("0123456789", { "Content-Type": "text/x-test" });
  expect(uploaded.status).toBe(201);
  const { blobId, ...rest } = uploaded.body;
  expect(rest).toEqual({ accountId: account, type: "text/x-test", size: 10 });

  const path = `/jmap/download/${account}/${blobId}/${encodeURIComponent('a "b"/ü.txt')}?type=text%2Fhtml%3Bcharset%3Dutf-8`;
  const whole = await get(path);
  expect(whole.status).toBe(200);
  expect(whole.text).toBe("0123456789");
  expect(whole.headers["content-type"]).toBe("text/html;charset=utf-8");
  expect(whole.headers["content-disposition"]).toBe(
    "attachment; filename=\"a _b_/_.txt\"; filename*=UTF-8''a%20%22b%22%2F%C3%BC.txt",
  );
  expect(whole.headers["cache-control"]).toContain("immutable");
  expect(whole.headers["x-content-type-options"]).toBe("nosniff");
  expect(whole.headers["content-security-policy"]).toContain("sandbox");

  const range = async (value: string) => {
    const response = await get(path, { Range: value });
    return [response.status, response.headers["content-range"], response.text];
  };
  expect(await range("bytes=2-4")).toEqual([206, "bytes 2-4/10", "234"]);
  expect(await range("bytes=8-")).toEqual([206, "bytes 8-9/10", "89"]);
  expect(await range("bytes=-3")).toEqual([206, "bytes 7-9/10", "789"]);
  expect(await range("bytes=-99")).toEqual([206, "bytes 0-9/10", "0123456789"]);
  expect(await range("bytes=10-")).toEqual([416, "bytes */10", ""]);
  expect(await range("bytes=0-1,3-4")).toEqual([200, undefined, "0123456789"]);
  const head = await at.head(path).set(owner);
  expect([head.status, head.headers["content-length"], head.text]).toEqual([200, "10", undefined]);
  expect((await get(path, { "If-None-Match": whole.headers.etag })).status).toBe(304);
  expect((await get(path, { Range: "bytes=1-2", "If-Range": '"else"' })).status).toBe(200);
});

test("a download needs no name", async () => {
  const { blobId } = (await upload("0123456789")).body;
  for (const end of ["/?type=text/plain", "?type=text/plain", "//?type=text/plain"]) {
    const { status, headers } = await get(`/jmap/download/${account}/${blobId}${end}`);
    expect([status, headers["content-type"], headers["content-disposition"]], end).toEqual(
      end.startsWith("//") ? [404, "application/problem+json", undefined] : [200, "text/plain", "attachment"],
    );
  }
});

test("a compressed body is refused", async () => {
  const coded = { "Content-Encoding": "gzip" };
  expect(
    (
      await at
        .post("/jmap/api")
        .set({ ...owner, ...coded })
        .send({})
    ).status,
  ).toBe(415);
  expect((await upload("x", coded)).status).toBe(415);
  expect((await upload("x", { "Content-Encoding": "identity" })).status).toBe(201);
});

test("an upload that the account has no room for is refused", async () => {
  const refused = await upload("01234567890", {}, full);
  expect(refused.status).toBe(507);
  expect(refused.body).toMatchObject({ type: "about:blank", detail: expect.stringContaining("no room") });
  expect((await upload("0123456789", {}, full)).status).toBe(201);
  expect((await upload(Buffer.alloc(20_000), {}, full)).status).toBe(413);
});

test("only its uploader can read an upload into a shared account until a message takes it up", async () => {
  const raw = "Subject: s\r\n\r\ntaken up";
  const { blobId } = (await upload(raw)).body;
  const path = `/jmap/download/${account}/${blobId}/x?type=text/plain`;
  expect([(await get(path)).status, (await get(path, guest)).status]).toEqual([200, 404]);
  const unseen: [string, object, object][] = [
    ["Blob/get", { ids: [blobId] }, { notFound: [blobId] }],
    ["Blob/upload", { create: { a: { data: [{ blobId }] } } }, { notCreated: { a: { type: "blobNotFound" } } }],
    ["Blob/copy", { fromAccountId: account, accountId: other, blobIds: [blobId] }, { copied: null }],
    ["Email/parse", { blobIds: [blobId] }, { notFound: [blobId] }],
    ["MDN/parse", { blobIds: [blobId] }, { notFound: [blobId] }],
    ["Email/import", { emails: { a: { blobId, mailboxIds: { m1: true } } } }, { created: null }],
    [
      "Email/set",
      { create: { a: { mailboxIds: { m1: true }, attachments: [{ blobId, type: "text/plain" }] } } },
      { notCreated: { a: { type: "blobNotFound" } } },
    ],
  ];
  for (const [name, args, answer] of unseen) expect(await call(name, args, guest), name).toMatchObject(answer);
  expect(await call("Email/import", { emails: { a: { blobId, mailboxIds: { m1: true } } } })).toMatchObject({
    created: { a: { blobId } },
  });
  expect((await get(path, guest)).status).toBe(200);
  const both = (await upload("both")).body;
  await upload("both", guest);
  for (const headers of [{}, guest]) {
    expect((await get(`/jmap/download/${account}/${both.blobId}/x?type=text/plain`, headers)).status).toBe(200);
  }
});

test("upload and download refuse with problems", async () => {
  const tooLarge = await upload(Buffer.alloc(20_000));
  expect(tooLarge.status).toBe(413);
  expect(tooLarge.body).toMatchObject({ type: "urn:ietf:params:jmap:error:limit", limit: "maxSizeUpload" });
  expect((await upload("x", {}, other)).status).toBe(404);
  expect((await upload("x", {}, "nonsense")).status).toBe(404);
  const { blobId } = (await upload("")).body;
  const empty = await get(`/jmap/download/${account}/${blobId}/x?type=text/plain`);
  expect([empty.status, empty.text]).toEqual([200, ""]);
  for (const path of [
    `/jmap/download/${other}/${blobId}/x?type=text/plain`,
    `/jmap/download/${account}/bnone/x?type=text/plain`,
    "/nowhere",
    "/jmap/eventsource/?types=*",
  ]) {
    const response = await get(path);
    expect([path, response.status]).toEqual([path, 404]);
    expect(response.headers["content-type"]).toContain("application/problem+json");
  }
  expect((await get(`/jmap/download/${account}/${blobId}/x?type=${encodeURIComponent("a/b\r\nX: y")}`)).status).toBe(
    400,
  );
  expect((await get(`/jmap/download/${account}/%E0%A4%A/x`)).status).toBe(400);
});
