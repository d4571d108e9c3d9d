import { createHash } from "node:crypto";
import { core, type Json, mail, type SetResult } from "../client/types.ts";
import type { TestContext } from "../runner/context.ts";
import { defineTests } from "../runner/define.ts";
import { equal, isArray, isObject, ok, same, sameMembers, setError, show } from "../runner/expect.ts";

const blob = "urn:ietf:params:jmap:blob";
const rfc = "rfc9404";
const requires = [core, blob];
const using = [core, mail, blob];

function capability(t: TestContext): Json {
  return t.account.accountCapabilities[blob] as Json;
}

const discovery = defineTests({ rfc, section: "3", title: "The capability", requires }, [
  {
    id: "capability",
    level: "MUST",
    says: "The value of the property in an account's accountCapabilities is an object with maxSizeBlobSet, maxDataSources, supportedTypeNames and supportedDigestAlgorithms.",
    run: (t) => {
      const found = capability(t);
      ok(found.maxSizeBlobSet === null || Number(found.maxSizeBlobSet) > 0, `maxSizeBlobSet ${found.maxSizeBlobSet}`);
      isArray(found.supportedTypeNames, "supportedTypeNames");
      isArray(found.supportedDigestAlgorithms, "supportedDigestAlgorithms");
      for (const name of found.supportedDigestAlgorithms) equal(name, String(name).toLowerCase(), "digest algorithm");
    },
  },
  {
    id: "data-sources",
    level: "MUST",
    says: "maxDataSources: a server MUST allow at least 64 DataSourceObjects per creation.",
    run: (t) => ok(Number(capability(t).maxDataSources) >= 64, `maxDataSources ${capability(t).maxDataSources}`),
  },
]);

function uploadAll(t: TestContext, create: Json): Promise<SetResult> {
  return t.one<SetResult>("Blob/upload", { create }, using);
}

async function made(
  t: TestContext,
  data: Json[],
  type = "text/plain",
): Promise<{ id: string; size: number; type: string }> {
  const answer = await uploadAll(t, { b: { data, type } });
  const found = answer.created?.b;
  isObject(found, `created/b (${show(answer.notCreated)})`);
  return found as { id: string; size: number; type: string };
}

async function text(t: TestContext, id: string): Promise<string> {
  return String((await t.client.download(id, "b", "text/plain")).body);
}

const uploads = defineTests({ rfc, section: "4.1", title: "Blob/upload", requires }, [
  {
    id: "text",
    level: "MUST",
    says: "data:asText: the data is UTF-8; created holds id, type and size.",
    run: async (t) => {
      const found = await made(t, [{ "data:asText": "Grüße" }]);
      same([found.size, found.type], [7, "text/plain"], "size and type");
      equal(await text(t, found.id), "Grüße", "the octets");
    },
  },
  {
    id: "base64",
    level: "MUST",
    says: "data:asBase64: the base64 data is decoded.",
    run: async (t) => {
      const { id, size } = await made(t, [{ "data:asBase64": Buffer.from([0, 255, 1]).toString("base64") }]);
      equal(size, 3, "size");
      ok((await t.client.download(id)).body.equals(Buffer.from([0, 255, 1])), "the octets differ");
    },
  },
  {
    id: "concatenated",
    level: "MUST",
    says: "data: an array of zero or more octet sources in order (zero to create an empty blob).",
    run: async (t) => {
      const { blobId } = await t.upload("0123456789");
      const sources = [
        { "data:asText": "<" },
        { blobId, offset: 2, length: 3 },
        { blobId, offset: 8 },
        { "data:asText": ">" },
      ];
      equal(await text(t, (await made(t, sources)).id), "<23489>", "the octets");
      equal((await made(t, [])).size, 0, "size of no sources");
    },
  },
  {
    id: "creation-id",
    level: "MUST",
    says: "A blobId may be a creation id of an earlier creation, prefixed by “#”.",
    run: async (t) => {
      const create = {
        a: { data: [{ "data:asText": "inner" }], type: "text/plain" },
        b: { data: [{ "data:asText": "[" }, { blobId: "#a" }, { "data:asText": "]" }], type: "text/plain" },
      };
      const answer = await uploadAll(t, create);
      isObject(answer.created?.b, `created/b (${show(answer.notCreated)})`);
      equal(await text(t, String(answer.created?.b?.id)), "[inner]", "the octets");
    },
  },
  {
    id: "range-past-end",
    level: "MUST",
    says: "If the range cannot be fully satisfied (it begins or extends past the end of the data), the DataSourceObject is invalid and results in a notCreated response for this creation id.",
    run: async (t) => {
      const { blobId } = await t.upload("0123456789");
      const create = { b: { data: [{ blobId, offset: 8, length: 3 }] }, c: { data: [{ blobId, offset: 11 }] } };
      const { notCreated, created } = await uploadAll(t, create);
      equal(created ?? null, null, "created");
      sameMembers(Object.keys(notCreated ?? {}), ["b", "c"], "names in notCreated");
    },
  },
  {
    id: "bad-sources",
    level: "MUST",
    says: "Exactly one of data:asText, data:asBase64 and blobId is given; an invalid source results in a notCreated response.",
    run: async (t) => {
      const create = {
        both: { data: [{ "data:asText": "a", "data:asBase64": "YQ==" }] },
        none: { data: [{}] },
        base64: { data: [{ "data:asBase64": "!!!" }] },
        unknown: { data: [{ blobId: "no-such-blob" }] },
        good: { data: [{ "data:asText": "good" }] },
      };
      const { notCreated, created } = await uploadAll(t, create);
      same(Object.keys(created ?? {}), ["good"], "names in created");
      sameMembers(Object.keys(notCreated ?? {}), ["both", "none", "base64", "unknown"], "names in notCreated");
    },
  },
]);

async function getBlob(t: TestContext, id: string, more: Json): Promise<Json> {
  const { list } = await t.one<{ list: Json[] }>("Blob/get", { ids: [id], ...more }, using);
  isObject(list[0], "the blob");
  return list[0];
}

const gets = defineTests({ rfc, section: "4.2", title: "Blob/get", requires }, [
  {
    id: "defaults",
    level: "MUST",
    says: "If properties is omitted, it is “data” and “size”; “data” is data:asText where the octets are valid UTF-8, else data:asBase64.",
    run: async (t) => {
      const { blobId } = await t.upload("text ü");
      same(await getBlob(t, blobId, {}), { id: blobId, "data:asText": "text ü", size: 7 }, "blob of text");
      const binary = await t.upload(Buffer.from([0xff, 0xfe]));
      const found = await getBlob(t, binary.blobId, {});
      same([found["data:asBase64"], found.size], ["//4=", 2], "data:asBase64 and size");
    },
  },
  {
    id: "encoding-problem",
    level: "MUST",
    says: "data:asText of octets that are no UTF-8 is null, and isEncodingProblem is true.",
    run: async (t) => {
      const { blobId } = await t.upload(Buffer.from([0x61, 0xff]));
      const found = await getBlob(t, blobId, { properties: ["data:asText"] });
      same([found["data:asText"] ?? null, found.isEncodingProblem], [null, true], "data:asText and isEncodingProblem");
    },
  },
  {
    id: "range",
    level: "MUST",
    says: "offset and length select octets; size is the one of the whole blob; isTruncated tells that the range goes past its end.",
    run: async (t) => {
      const { blobId } = await t.upload("0123456789");
      const properties = ["data:asText", "size"];
      const inside = await getBlob(t, blobId, { properties, offset: 2, length: 3 });
      same([inside["data:asText"], inside.size, inside.isTruncated ?? false], ["234", 10, false], "a range inside");
      const beyond = await getBlob(t, blobId, { properties, offset: 8, length: 5 });
      same([beyond["data:asText"], beyond.size, beyond.isTruncated], ["89", 10, true], "a range past the end");
    },
  },
  {
    id: "digest",
    level: "MUST",
    says: "digest:<algorithm>: the base64 encoding of the digest of the octets in the selected range.",
    run: async (t) => {
      const algorithms = capability(t).supportedDigestAlgorithms as string[];
      const name = algorithms.includes("sha-256") ? "sha-256" : t.skip("sha-256 is not supported");
      const { blobId } = await t.upload("0123456789");
      const hash = (octets: string): string => createHash("sha256").update(octets).digest("base64");
      const properties = [`digest:${name}`];
      equal((await getBlob(t, blobId, { properties }))[`digest:${name}`], hash("0123456789"), "digest");
      const part = await getBlob(t, blobId, { properties, offset: 1, length: 2 });
      equal(part[`digest:${name}`], hash("12"), "digest of a range");
    },
  },
  {
    id: "not-found",
    level: "MUST",
    says: "Standard /get: notFound holds the ids of blobs that do not exist.",
    run: async (t) => {
      const answer = await t.one("Blob/get", { ids: ["no-such-blob"] }, using);
      same([answer.list, answer.notFound], [[], ["no-such-blob"]], "list and notFound");
    },
  },
  {
    id: "of-another",
    level: "MUST",
    says: "Only blobs that the user may see are found.",
    needs: ["user2"],
    run: async (t) => {
      const { blobId } = await t.client2.upload(t.unique("secret"));
      same((await t.one("Blob/get", { ids: [blobId] }, using)).list, [], "list");
      const { notCreated } = await uploadAll(t, { b: { data: [{ blobId }] } });
      setError(notCreated, "b", ["blobNotFound", "notFound", "invalidProperties"]);
    },
  },
]);

const lookups = defineTests({ rfc, section: "4.3", title: "Blob/lookup", requires }, [
  {
    id: "email",
    level: "MUST",
    says: "matchedIds: for each type name, the ids of the records that reference the blob; a blob that is not there has empty arrays.",
    requires: [mail],
    run: async (t) => {
      if (!(capability(t).supportedTypeNames as string[]).includes("Email")) t.skip("Email is not supported");
      const { id, blobId } = await t.email();
      const { list } = await t.one<{ list: { id: string; matchedIds: Record<string, string[]> }[] }>(
        "Blob/lookup",
        { typeNames: ["Email"], ids: [blobId, "no-such-blob"] },
        using,
      );
      const of = (wanted: string) => list.find((one) => one.id === wanted)?.matchedIds.Email;
      same([of(blobId), of("no-such-blob")], [[id], []], "ids of emails");
    },
  },
  {
    id: "unknown-type",
    level: "MUST",
    says: "If a type name is not known to the server, or its capability is not in “using”, the call is rejected with unknownDataType.",
    run: (t) => t.error("Blob/lookup", { typeNames: ["NoSuchType"], ids: [] }, "unknownDataType", using),
  },
]);

export const blobs = [...discovery, ...uploads, ...gets, ...lookups];
