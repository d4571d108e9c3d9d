import { core, mail } from "../client/types.ts";
import type { TestContext } from "../runner/context.ts";
import { defineTests } from "../runner/define.ts";
import { equal, isId, isObject, ok, same } from "../runner/expect.ts";
import { mediaType, noSuchId, parse } from "./support.ts";

const group = { rfc: "rfc8620", section: "6.1", title: "Uploading binary data", requires: [core, mail] };

/** All octets, and what text tools like to change. */
export const awkward = Buffer.concat([
  Buffer.from(Array.from({ length: 256 }, (_, at) => at)),
  Buffer.from("\r\n\n\r.\r\n\0\0ende\r\n"),
]);

function post(t: TestContext, body: Uint8Array | string, type: string, accountId = t.accountId) {
  const url = t.client.expand(t.session.uploadUrl, { accountId });
  return t.client.fetch(url, { method: "POST", headers: { "content-type": type }, body });
}

export const upload = defineTests(group, [
  {
    id: "response",
    level: "MUST",
    says: "A successful request MUST return a single JSON object with the properties accountId, blobId, type, size.",
    run: async (t) => {
      const answer = await post(t, awkward, "image/png");
      ok(answer.status === 200 || answer.status === 201, `HTTP status ${answer.status}`);
      equal(mediaType(answer), "application/json", "Content-Type");
      const result = parse(answer);
      isObject(result, "the body");
      equal(result.accountId, t.accountId, "accountId");
      isId(result.blobId, "blobId");
      equal(result.type, "image/png", "type");
      equal(result.size, awkward.length, "size");
    },
  },
  {
    id: "octets-kept",
    level: "MUST",
    says: "blobId: the id representing the binary data uploaded. The data for this id is immutable.",
    run: async (t) => {
      const { blobId } = await t.upload(awkward);
      const { body } = await t.client.download(blobId);
      ok(body.equals(awkward), "the octets downloaded are not those uploaded");
    },
  },
  {
    id: "empty",
    level: "MUST",
    says: "size: the size of the file in octets (of an empty file, 0).",
    run: async (t) => {
      const { blobId, size } = await t.upload("", "text/plain");
      equal(size, 0, "size");
      equal((await t.client.download(blobId)).body.length, 0, "size of the download");
    },
  },
  {
    id: "type-not-sniffed",
    level: "MUST",
    says: "type: the media type of the file as set in the Content-Type header of the upload HTTP request.",
    run: async (t) => {
      const { type } = await t.upload("<html><body>no html</body></html>", "application/x-conformance");
      equal(type, "application/x-conformance", "type");
    },
  },
  {
    id: "json-as-a-file",
    level: "MUST",
    says: "There is a single endpoint that handles all file uploads for an account, regardless of what they are to be used for.",
    run: async (t) => {
      const text = '{"a": 1,  "a":2';
      const { blobId, size } = await t.upload(text, "application/json");
      equal(size, text.length, "size");
      equal(String((await t.client.download(blobId)).body), text, "the octets");
    },
  },
  {
    id: "same-octets-other-type",
    level: "MUST",
    says: "The id *only* refers to the binary data, not any metadata.",
    run: async (t) => {
      const text = t.unique("octets");
      const first = await t.upload(text, "text/plain");
      const second = await t.upload(text, "text/csv");
      same([first.type, second.type], ["text/plain", "text/csv"], "types");
      equal(String((await t.client.download(second.blobId)).body), text, "the octets of the second");
    },
  },
  {
    id: "other-account",
    level: "MUST",
    says: "All requests are authenticated, and a user sees the data that the permissions allow (upload to an account that is not there).",
    run: async (t) => {
      const { status } = await post(t, "x", "text/plain", noSuchId);
      ok(status >= 400 && status < 500, `HTTP status ${status}`);
    },
  },
  {
    id: "problem-details",
    level: "SHOULD",
    says: "When an HTTP error response is returned to the client, the server SHOULD return a JSON “problem details” object as the response body, as per RFC 7807.",
    run: async (t) => {
      const answer = await post(t, "x", "text/plain", noSuchId);
      equal(mediaType(answer), "application/problem+json", "Content-Type");
      isObject(parse(answer), "the body");
    },
  },
  {
    id: "max-size",
    level: "MUST",
    says: "maxSizeUpload: the maximum file size, in octets, that the server will accept for a single file upload.",
    exclusive: true,
    run: async (t) => {
      const size = t.limit("maxSizeUpload");
      if (size > 60_000_000) t.skip(`maxSizeUpload is ${size}`);
      const answer = await post(t, Buffer.alloc(size + 1), "application/octet-stream").catch((error) => {
        // A server may close the connection while the rest of the body is still on its way.
        if (error.code === "ECONNRESET" || error.code === "EPIPE") return undefined;
        throw error;
      });
      if (answer) ok(answer.status >= 400 && answer.status < 500, `HTTP status ${answer.status}`);
    },
  },
  {
    id: "only-the-uploader",
    level: "MUST",
    says: "Unreferenced blobs MUST only be accessible to the uploader, even in shared accounts.",
    needs: ["user2"],
    run: async (t) => {
      const theirs = t.client2.session.accounts;
      const shared = Object.entries(t.session.accounts).filter(([id, { isReadOnly }]) => id in theirs && !isReadOnly);
      for (const into of new Set([t.accountId, ...shared.map(([id]) => id)])) {
        const { blobId } = await t.client.upload(t.unique("secret"), "text/plain", into);
        for (const accountId of [into, t.client2.accountId]) {
          const url = t.client2.downloadUrl(blobId, "x", "text/plain", accountId);
          const { status } = await t.client2.fetch(url);
          ok(status >= 400 && status < 500, `HTTP status for the second user at ${accountId}: ${status}`);
        }
      }
    },
  },
]);
