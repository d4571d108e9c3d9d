import type { Authentication } from "../core/db.ts";
import { read } from "../core/declare.ts";
import type { Reader } from "../core/store.ts";

const ofEmails = read("emails.authentication", (db, $: { accountId: number; ids: readonly number[] }) =>
  db
    .selectFrom("email as e")
    .innerJoin("message as m", (join) => join.on("m.userId", "=", $.accountId).onRef("m.no", "=", "e.no"))
    .select(["e.id", "m.authentication"])
    .where("e.userId", "=", $.accountId)
    .where("e.id", "in", $.ids),
);

/** What SPF, DKIM, DMARC, ARC and BIMI found of these emails; null for those that were not judged, such as imported ones. */
export async function findAuthentication(
  reader: Reader,
  ids: readonly number[],
): Promise<Map<number, Authentication | null>> {
  if (ids.length === 0) return new Map();
  const rows = await reader.run(ofEmails, { accountId: reader.accountId, ids });
  return new Map(rows.map(({ id, authentication }) => [id, authentication]));
}

/** What is known of mail that no method judged. */
export const notJudged = (): Authentication => ({
  ...{ spf: { result: "none", domain: null }, dkim: [], dmarc: [] },
  ...{ arc: { result: "none", sealers: [] }, bimi: { result: "none", domain: null } },
});
