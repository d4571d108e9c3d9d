import { S3Error } from "./s3-error.ts";

const known = new Set(["list-type", "prefix", "delimiter", "continuation-token", "x-id"]);

/** ListObjectsV2: keys in order, common prefixes in one entry each, and a token for the next page. */
export function listingOf(objects: ReadonlyMap<string, { bytes: Buffer }>, query: URLSearchParams, maxKeys: number) {
  if (query.get("list-type") !== "2" || [...query.keys()].some((name) => !known.has(name))) {
    throw new S3Error(501, "NotImplemented");
  }
  const prefix = query.get("prefix") ?? "";
  const after = tokenText(query.get("continuation-token"));
  const entries = entriesOf([...objects.keys()].sort(), prefix, query.get("delimiter") ?? "");
  const left = entries.filter((entry) => entry > after);
  const page = left.slice(0, maxKeys);
  const isTruncated = left.length > page.length;
  const text = page.map((entry) => {
    const object = objects.get(entry);
    return object
      ? `<Contents><Key>${entry}</Key><Size>${object.bytes.length}</Size></Contents>`
      : `<CommonPrefixes><Prefix>${entry}</Prefix></CommonPrefixes>`;
  });
  const token = isTruncated ? `<NextContinuationToken>${tokenOf(page.at(-1)!)}</NextContinuationToken>` : "";
  const xml = `<?xml version="1.0" encoding="UTF-8"?><ListBucketResult><Prefix>${prefix}</Prefix><KeyCount>${page.length}</KeyCount><MaxKeys>${maxKeys}</MaxKeys><IsTruncated>${isTruncated}</IsTruncated>${token}${text.join("")}</ListBucketResult>`;
  return { status: 200, headers: { "content-type": "application/xml" }, body: Buffer.from(xml) };
}

/** Keys and common prefixes, which end in the delimiter. */
function entriesOf(keys: string[], prefix: string, delimiter: string): string[] {
  const found = new Set<string>();
  for (const key of keys) {
    if (!key.startsWith(prefix)) continue;
    const at = delimiter === "" ? -1 : key.indexOf(delimiter, prefix.length);
    found.add(at < 0 ? key : key.slice(0, at + delimiter.length));
  }
  return [...found];
}

const tokenOf = (entry: string) => Buffer.from(entry).toString("base64url");

function tokenText(token: string | null): string {
  if (token === null) return "";
  const text = Buffer.from(token, "base64url").toString();
  if (tokenOf(text) !== token) throw new S3Error(400, "InvalidArgument");
  return text;
}
