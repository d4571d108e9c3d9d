import { decodeId, idPrefix } from "../../base/ids.ts";
import { decodePart, decodeTransfer } from "../../mime/decode.ts";
import { isSearched, textsOfPart } from "../../mime/search-text.ts";
import { leaves, type Part } from "../../mime/structure.ts";
import { walk } from "../../mime/walk.ts";
import { searchPhrases, searchSigns } from "../../search/search-query.ts";
import { Highlighter } from "../../search/snippet.ts";
import type { Blobs } from "../../store/blobs/blobs.ts";
import { maxCachedBytes } from "../../store/blobs/cache.ts";
import { blobOf, type FetchedEmail, fetchEmails } from "../../store/mail/email-fetch.ts";
import { capabilities } from "../capability-names.ts";
import { MethodError } from "../errors.ts";
import { type Method, ownMethod } from "../method.ts";
import { weigh } from "../octets.ts";
import { id, list, nullable, object, openObject, optional } from "../schema.ts";
import { parseFilter } from "../standard/filter.ts";
import type { JmapObject, QueryHooks } from "../standard/type.ts";

const args = object({
  accountId: id,
  filter: optional(nullable(openObject({}))),
  emailIds: list(id),
});

/** How many messages are searched at once; one that is too large for the cache of bodies is searched alone. */
const concurrency = 8;

/** RFC 8621 §5.1; the filter is checked against Email/query's table. */
export function searchSnippetGet<C, S>({ query }: { query: QueryHooks<C, S> }): Method {
  // A single statement needs no snapshot, and reading and searching bodies should not hold a connection.
  return ownMethod({
    name: "SearchSnippet/get",
    capability: capabilities.mail,
    writes: false,
    args,
    async run({ accountId, filter, emailIds }, call) {
      const { maxObjectsInGet } = call.services.limits;
      const wanted = [...new Set(emailIds)];
      if (wanted.length > maxObjectsInGet) throw new MethodError("requestTooLarge", `at most ${maxObjectsInGet} ids`);
      parseFilter(query, filter, call);
      const asked = (...names: string[]) => (filter ? textsIn(filter, names) : []);
      const subject = new Highlighter(
        asked("text", "subject").flatMap(searchPhrases),
        asked("text", "subject").flatMap(searchSigns),
      );
      const body = new Highlighter(asked("text", "body").flatMap(searchPhrases));
      const ids = wanted.map((wireId) => decodeId(idPrefix.email, wireId)).filter((number) => number !== undefined);
      const withoutBody = subject.isEmpty ? "own" : "list";
      const columns = body.isEmpty ? withoutBody : "listAndContent";
      const emails = await fetchEmails(call.services.store.reader(call.accountId, call.login), ids, columns);
      const found = new Map(emails.map((email) => [email.id, email]));
      const existing = wanted.filter((wireId) => found.has(decodeId(idPrefix.email, wireId) ?? 0));
      const snippets: object[] = [];
      const emailOf = (emailId: string) => found.get(decodeId(idPrefix.email, emailId)!)!;
      for (const some of inTurns(existing, (emailId) => body.isEmpty || isSmall(emailOf(emailId)))) {
        const made = some.map(async (emailId) => {
          const email = emailOf(emailId);
          return {
            emailId,
            subject: "subject" in email && !subject.isEmpty ? subject.mark(email.subject ?? "") : null,
            preview: "structure" in email ? await previewOf(email, body, call.services.blobs) : null,
          };
        });
        const shown = await Promise.all(made);
        call.octets.take(weigh(shown));
        snippets.push(...shown);
      }
      const isThere = new Set(existing);
      const notFound = wanted.filter((wireId) => !isThere.has(wireId));
      return { response: { accountId, list: snippets, notFound: notFound.length > 0 ? notFound : null } };
    },
  });
}

/** The texts that these properties search for anywhere in the filter, except under NOT. */
function textsIn(filter: JmapObject, properties: readonly string[]): string[] {
  if (filter.operator === "NOT") return [];
  if (Object.hasOwn(filter, "operator")) {
    return (filter.conditions as JmapObject[]).flatMap((condition) => textsIn(condition, properties));
  }
  return properties.flatMap((name) => (Object.hasOwn(filter, name) ? [filter[name] as string] : []));
}

const isSmall = ({ size }: FetchedEmail): boolean => size <= maxCachedBytes;

/** Groups of up to `concurrency`, in order; each large one starts a group and is alone in it. */
function inTurns<T>(all: readonly T[], isSmall: (one: T) => boolean): T[][] {
  const turns: T[][] = [];
  let room = 0;
  for (const one of all) {
    if (room > 0 && isSmall(one)) turns.at(-1)!.push(one);
    else {
      turns.push([one]);
      room = isSmall(one) ? concurrency : 0;
    }
    room--;
  }
  return turns;
}

/** The stored preview is the beginning of the body: a match in it needs no read. */
async function previewOf(
  email: FetchedEmail<"listAndContent">,
  highlighter: Highlighter,
  blobs: Blobs,
): Promise<string | null> {
  const soon = highlighter.preview(wholeWords(email.preview));
  if (soon !== null) return soon;
  const blob = blobOf(email);
  const whole = isSmall(email) ? await blobs.readObject(blob) : undefined;
  // The stored part tree may come from an older version and say less.
  for (const part of leaves(whole ? walk(whole) : (JSON.parse(email.structure) as Part))) {
    if (!isSearched(part.type) || part.size === 0) continue;
    const { start, end } = part.body;
    const bytes = decodeTransfer(
      whole?.subarray(start, end) ?? (await blobs.readObject(blob, start, end)),
      part.encoding,
    );
    const near = part.type === "text/html" ? highlighter.previewNear(decodePart(bytes, part).text) : null;
    if (near !== null) return near;
    for (const text of textsOfPart(bytes, part)) {
      const found = await highlighter.previewInTurns(text);
      if (found !== null) return found;
    }
  }
  return null;
}

/** A stored preview of full length may end inside a word, and half a word could pass for another. */
function wholeWords(preview: string): string {
  return preview.length < 200 ? preview : preview.slice(0, Math.max(0, preview.lastIndexOf(" ")));
}
