import { core, type Json, mail, type SetResult } from "../client/types.ts";
import type { TestContext } from "../runner/context.ts";
import { defineTests } from "../runner/define.ts";
import { equal, isObject, ok, same, setError } from "../runner/expect.ts";
import { awkward } from "./6-upload.ts";
import { createdId, noSuchId, parse } from "./support.ts";

const group = { rfc: "rfc8620", section: "6.2", title: "Downloading binary data", requires: [core, mail] };

function filename(disposition: string): string | undefined {
  const extended = /filename\*=(?:utf-8|UTF-8)'[^']*'([^;]+)/.exec(disposition)?.[1];
  if (extended) return decodeURIComponent(extended.trim());
  return (
    /filename="((?:[^"\\]|\\.)*)"/.exec(disposition)?.[1]?.replace(/\\(.)/g, "$1") ??
    /filename=([^;\s]+)/.exec(disposition)?.[1]
  );
}

const downloads = defineTests(group, [
  {
    id: "type",
    level: "MUST",
    says: "type: the type for the server to set in the “Content-Type” header of the response.",
    run: async (t) => {
      const { blobId } = await t.upload("some text", "text/plain");
      for (const type of [
        "text/plain",
        "application/x-conformance",
        "image/svg+xml",
        "text/html; charset=iso-8859-1",
      ]) {
        const { headers } = await t.client.download(blobId, "file", type);
        equal(headers["content-type"], type, "Content-Type");
      }
    },
  },
  ...["plain.txt", "with space & more.txt", 'quote".txt', "Grüße 東京.txt"].map((name) => ({
    id: `name[${name}]`,
    level: "MUST" as const,
    says: "name: the name for the file; the server MUST return this as the filename if it sets a “Content-Disposition” header.",
    run: async (t: TestContext) => {
      const { blobId } = await t.upload("some text", "text/plain");
      const { headers } = await t.client.download(blobId, name, "text/plain");
      const disposition = headers["content-disposition"] ?? t.skip("no Content-Disposition header");
      if (/filename/.test(disposition)) equal(filename(disposition), name, `filename in ${disposition}`);
    },
  })),
  {
    id: "name-empty",
    level: "SHOULD",
    says: "name: the name for the file (a client that has none expands the template with an empty value).",
    run: async (t) => {
      const { blobId } = await t.upload("some text", "text/plain");
      const { headers, body } = await t.client.download(blobId, "", "text/plain");
      equal(String(body), "some text", "the body");
      equal(headers["content-type"], "text/plain", "Content-Type");
      const disposition = headers["content-disposition"] ?? "";
      if (/filename/.test(disposition)) equal(filename(disposition), "", `filename in ${disposition}`);
    },
  },
  {
    id: "of-email",
    level: "MUST",
    says: "For example, an Email type may have a blobId that represents the object in Internet Message Format.",
    run: async (t) => {
      const raw = "From: a@conformance.example\r\nSubject: raw\r\n\r\nThe body.\r\n";
      const { blobId } = await t.email({ raw });
      equal(String((await t.client.download(blobId, "m.eml", "message/rfc822")).body), raw, "the message");
    },
  },
  {
    id: "unknown-blob",
    level: "MUST",
    says: "blobId: the blobId representing the data of the file to download (there is none).",
    run: async (t) => {
      const { status } = await t.client.fetch(t.client.downloadUrl(noSuchId, "x", "text/plain"));
      ok(status >= 400 && status < 500, `HTTP status ${status}`);
    },
  },
  {
    id: "unknown-account",
    level: "MUST",
    says: "accountId: the id of the account to which the record with the blobId belongs.",
    run: async (t) => {
      const { blobId } = await t.upload("x");
      const { status } = await t.client.fetch(t.client.downloadUrl(blobId, "x", "text/plain", noSuchId));
      ok(status >= 400 && status < 500, `HTTP status ${status}`);
    },
  },
  {
    id: "problem-details",
    level: "SHOULD",
    says: "When an HTTP error response is returned to the client, the server SHOULD return a JSON “problem details” object.",
    run: async (t) => {
      const answer = await t.client.fetch(t.client.downloadUrl(noSuchId, "x", "text/plain"));
      ok(
        /^application\/(problem\+)?json/.test(String(answer.headers["content-type"])),
        "the answer is no problem object",
      );
      isObject(parse(answer), "the body");
    },
  },
  {
    id: "cache-control",
    level: "SHOULD",
    says: "Implementors are recommended to set long cache times and use the “immutable” Cache-Control extension for successful responses.",
    run: async (t) => {
      const { blobId } = await t.upload("x");
      const { headers } = await t.client.download(blobId);
      ok(/immutable/.test(String(headers["cache-control"])), `Cache-Control: ${headers["cache-control"]}`);
    },
  },
  {
    id: "range",
    level: "MAY",
    says: "The response is one of HTTP, which may answer a Range header with the part alone (RFC 9110).",
    run: async (t) => {
      const { blobId } = await t.upload(awkward);
      const url = t.client.downloadUrl(blobId, "x", "application/octet-stream");
      const answer = await t.client.fetch(url, { headers: { range: "bytes=10-19" } });
      if (answer.status === 200) t.skip("the server does not serve ranges");
      equal(answer.status, 206, "HTTP status");
      ok(answer.body.equals(awkward.subarray(10, 20)), "the octets are not those of the range");
    },
  },
]);

async function importBlob(t: TestContext, blobId: string): Promise<SetResult> {
  const emails = { e: { blobId, mailboxIds: { [await t.box()]: true } } };
  return t.one<SetResult>("Email/import", { emails });
}

const binary = defineTests({ ...group, section: "6", title: "Binary data" }, [
  {
    id: "any-blob-of-the-account",
    level: "MUST",
    says: "Any blobId that exists within an account may be used when creating/updating another object in that account (attaching an old message to a new one).",
    run: async (t) => {
      const old = await t.email({ subject: "the old one" });
      const { blobId } = await attach(t, old.blobId);
      const { body } = await t.client.download(blobId, "a.eml", "message/rfc822");
      equal(String(body), String((await t.client.download(old.blobId)).body), "the attached message");
    },
  },
  {
    id: "not-deleted-within-the-call",
    level: "MUST",
    says: "A blob MUST NOT be deleted during the method call that removed the last reference, so that a client can issue a create and a destroy that both reference the blob within the same method call.",
    run: async (t) => {
      const first = await attach(t, (await t.upload(t.unique("attachment"), "text/plain")).blobId);
      const second = await attach(t, first.blobId, [first.id]);
      ok(String((await t.client.download(second.blobId)).body).startsWith("attachment"), "the attachment was lost");
    },
  },
  {
    id: "blob-of-another",
    level: "MUST",
    says: "Any blobId that exists within an account may be used in that account (and no other).",
    needs: ["user2"],
    run: async (t) => {
      const { blobId } = await t.client2.upload(
        `From: b@conformance.example\r\n\r\n${t.unique()}\r\n`,
        "message/rfc822",
      );
      setError((await importBlob(t, blobId)).notCreated, "e", [
        "blobNotFound",
        "invalidProperties",
        "notFound",
        "forbidden",
      ]);
    },
  },
]);

/** An email with the blob attached, made by a /set that also destroys. */
async function attach(t: TestContext, blobId: string, destroy: string[] = []): Promise<{ id: string; blobId: string }> {
  const body = { partId: "t", type: "text/plain" };
  const create = {
    e: {
      mailboxIds: { [await t.box()]: true },
      from: [{ name: "A", email: "a@conformance.example" }],
      subject: "with an attachment",
      textBody: [body],
      bodyValues: { t: { value: "see attachment" } },
      attachments: [{ blobId, type: "application/octet-stream", name: "old" }],
    },
  };
  const answer = await t.set("Email", { create, destroy });
  same(answer.destroyed ?? [], destroy, "destroyed");
  const id = createdId(answer, "e");
  const { attachments } = await t.find<{ attachments: { blobId: string }[] }>("Email", id, ["attachments"]);
  equal(attachments.length, 1, "number of attachments");
  return { id, blobId: (attachments[0] as { blobId: string }).blobId };
}

const copying = defineTests({ ...group, section: "6.3", title: "Blob/copy", requires: [core] }, [
  {
    id: "from-account-not-found",
    level: "MUST",
    says: "fromAccountNotFound: the “fromAccountId” included with the request does not correspond to a valid account.",
    run: (t) => t.error("Blob/copy", { fromAccountId: noSuchId, blobIds: [] }, "fromAccountNotFound"),
  },
  {
    id: "account-not-found",
    level: "MUST",
    says: "accountNotFound: the accountId does not correspond to a valid account.",
    run: (t) => {
      return t.error("Blob/copy", { fromAccountId: t.accountId, accountId: noSuchId, blobIds: [] }, "accountNotFound");
    },
  },
  {
    id: "arguments",
    level: "MUST",
    says: "fromAccountId: “Id”, accountId: “Id”, blobIds: “Id[]” (all required).",
    run: async (t) => {
      await t.error("Blob/copy", { blobIds: [] }, "invalidArguments");
      await t.error("Blob/copy", { fromAccountId: t.accountId, blobIds: "b" }, "invalidArguments");
    },
  },
  {
    id: "copied",
    level: "MUST",
    says: "copied: a map of the blobId in the fromAccount to the id for the blob in the account it was copied to.",
    run: async (t) => {
      const accountId = t.otherAccountId;
      const { blobId } = await t.upload(awkward);
      const answer = await t.one("Blob/copy", { fromAccountId: t.accountId, accountId, blobIds: [blobId] });
      same([answer.fromAccountId, answer.accountId], [t.accountId, accountId], "accounts");
      equal(answer.notCopied ?? null, null, "notCopied");
      const copyId = (answer.copied as Json)[blobId];
      const url = t.client.downloadUrl(String(copyId), "x", "application/octet-stream", accountId);
      ok((await t.client.fetch(url)).body.equals(awkward), "the copy has other octets");
    },
  },
  {
    id: "not-found",
    level: "MUST",
    says: "The “notFound” SetError error may be returned if the blobId to be copied cannot be found.",
    run: async (t) => {
      const accountId = t.otherAccountId;
      const { blobId } = await t.upload(t.unique());
      const blobIds = [noSuchId, blobId];
      const answer = await t.one("Blob/copy", { fromAccountId: t.accountId, accountId, blobIds });
      setError(answer.notCopied as SetResult["notCreated"], noSuchId, "notFound");
      same(Object.keys(answer.copied as Json), [blobId], "names in copied");
    },
  },
]);

export const download = [...downloads, ...binary, ...copying];
