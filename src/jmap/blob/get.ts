import { isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { capabilities } from "../capability-names.ts";
import { MethodError } from "../errors.ts";
import { type Call, ownMethod } from "../method.ts";
import { id, idOrReference, list, nullable, object, optional, text, unsignedInt } from "../schema.ts";
import { dereference } from "../standard/ids.ts";
import type { JmapObject } from "../standard/type.ts";

/** RFC 9404 §4.2: each algorithm's IANA name and OpenSSL name. */
export const digests: Readonly<Record<string, string>> = { sha: "sha1", "sha-256": "sha256", "sha-512": "sha512" };

const properties = new Set([
  "data",
  "data:asText",
  "data:asBase64",
  "size",
  ...Object.keys(digests).map((name) => `digest:${name}`),
]);

interface Selection {
  wanted: ReadonlySet<string>;
  offset: number;
  /** Undefined: to the end. */
  length: number | undefined;
}

/** RFC 9404 §4.2: reads the bytes without holding the account. */
export const blobGet = ownMethod({
  name: "Blob/get",
  capability: capabilities.blob,
  writes: false,
  args: object({
    accountId: id,
    ids: list(idOrReference),
    properties: optional(nullable(list(text))),
    offset: optional(nullable(unsignedInt)),
    length: optional(nullable(unsignedInt)),
  }),
  async run(args, call) {
    const { maxObjectsInGet } = call.services.limits;
    const ids = [...new Set(args.ids)];
    if (ids.length > maxObjectsInGet) throw new MethodError("requestTooLarge", `at most ${maxObjectsInGet} ids`);
    const wanted = new Set(args.properties ?? ["data", "size"]);
    const unknown = [...wanted].find((name) => !properties.has(name) && name !== "id");
    if (unknown !== undefined) {
      throw new MethodError("invalidArguments", `no property "${unknown}"`, { arguments: ["properties"] });
    }
    const selection = { wanted, offset: args.offset ?? 0, length: args.length ?? undefined };
    const found: JmapObject[] = [];
    const notFound: string[] = [];
    for (const text of ids) {
      const blobId = dereference(text, call.createdId);
      const blob = blobId === undefined ? undefined : await show(blobId, selection, call);
      if (blob) found.push(blob);
      else notFound.push(text);
    }
    return { response: { accountId: args.accountId, list: found, notFound } };
  },
});

async function show(
  blobId: string,
  { wanted, offset, length }: Selection,
  { services, accountId, login, octets }: Call,
): Promise<JmapObject | undefined> {
  const end = length === undefined ? undefined : Math.min(offset + length, Number.MAX_SAFE_INTEGER);
  const range = { start: offset, ...(end !== undefined && { end }) };
  const opened = await services.blobs.open(services.store.reader(accountId, login), blobId, range);
  if (!opened) return undefined;
  const readsBytes = [...wanted].some((name) => name !== "id" && name !== "size");
  try {
    if (readsBytes) octets.take(opened.size);
    else opened.stream.destroy();
  } catch (error) {
    opened.stream.destroy();
    throw error;
  }
  const shown: JmapObject = { id: blobId };
  if (wanted.has("size")) shown.size = opened.total;
  if (!readsBytes) return shown;
  if (offset > opened.total || (end !== undefined && end > opened.total)) shown.isTruncated = true;
  return { ...shown, ...describe(await buffer(opened.stream), wanted) };
}

/** RFC 9404 §4.2: digests cover the selected octets only; text that is not UTF-8 is null. */
function describe(bytes: Buffer, wanted: ReadonlySet<string>): JmapObject {
  const shown: JmapObject = {};
  for (const name of wanted) {
    const algorithm = name.startsWith("digest:") ? digests[name.slice("digest:".length)] : undefined;
    if (algorithm) shown[name] = createHash(algorithm).update(bytes).digest("base64");
  }
  const asText = wanted.has("data") || wanted.has("data:asText");
  const isText = asText && isUtf8(bytes);
  if (asText && !isText) shown.isEncodingProblem = true;
  if (isText) shown["data:asText"] = bytes.toString("utf8");
  else if (wanted.has("data:asText")) shown["data:asText"] = null;
  if (wanted.has("data:asBase64") || (wanted.has("data") && !isText)) shown["data:asBase64"] = bytes.toString("base64");
  return shown;
}
