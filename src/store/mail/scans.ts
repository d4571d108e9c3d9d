import { sql } from "kysely";
import { read } from "../core/declare.ts";
import type { Reader } from "../core/store.ts";
import { mailsToken } from "./spam-tokens.ts";

/** What scanning a message found for one account; stored with the message. */
export interface Scan {
  score: number;
  reasons: { rule: string; points: number; reason: string }[];
  /** Signs of phishing, to be shown to the reader. `shown` and `actual` are missing in those stored by earlier versions. */
  marks: { kind: string; text: string; shown?: string; actual?: string }[];
  /** Who judged. */
  by: string;
}

const scans = read("emails.scans", (db, $: { accountId: number; ids: readonly number[] }) =>
  db
    .selectFrom("email as e")
    .innerJoin("message as m", (join) => join.on("m.userId", "=", $.accountId).onRef("m.no", "=", "e.no"))
    .select(["e.id", "m.scan"])
    .where("e.userId", "=", $.accountId)
    .where("e.id", "in", $.ids),
);

/** What was found of these emails; null for those that were not scanned. */
export async function findScans(reader: Reader, ids: readonly number[]): Promise<Map<number, Scan | null>> {
  if (ids.length === 0) return new Map();
  const rows = await reader.run(scans, { accountId: reader.accountId, ids });
  return new Map(rows.map(({ id, scan }) => [id, scan === null ? null : (JSON.parse(scan) as Scan)]));
}

/** What an account knows of a message that arrives. */
export interface Acquaintance {
  tokens: { token: number; ham: number; spam: number }[];
  mails: { ham: number; spam: number };
  /** It has written to the author. */
  isCorrespondent: boolean;
  /** A domain it writes to that the author's domain looks like, but is not. */
  lookAlike: string | null;
  /** The address of somebody it writes to who has the author's name and another address. */
  namesake: string | null;
}

export interface Asked {
  tokens: readonly number[];
  /** "" for none, as for the others. */
  address: string;
  domain: string;
  shape: string;
  nameKey: string;
  /** The domain of the recipient: whoever writes from there is a colleague. */
  ownDomain: string;
}

/** One statement, since it is asked for each mail that arrives. */
const acquaintance = read(
  "spam.acquaintance",
  (_, $: { accountId: number } & Asked) => sql<{
    kind: string;
    token: number;
    ham: number;
    spam: number;
    text: string;
  }>`
  SELECT 'token' AS kind, t.token, t.ham, t.spam, '' AS text FROM spam_token t
  WHERE t.user_id = ${$.accountId} AND t.token = ANY(${$.tokens}::int[])
  UNION ALL (SELECT 'known', 0, 0, 0, c.address FROM correspondent c
  WHERE c.user_id = ${$.accountId} AND c.address = ${$.address})
  UNION ALL (SELECT 'alike', 0, 0, 0, s.domain FROM correspondent s
  WHERE s.user_id = ${$.accountId} AND s.shape = ${$.shape} AND s.domain <> ${$.domain} LIMIT 1)
  UNION ALL (SELECT 'namesake', 0, 0, 0, n.address FROM correspondent n
  WHERE n.user_id = ${$.accountId} AND n.name_key = ${$.nameKey} AND n.name_key <> '' AND n.domain = ${$.ownDomain}
    AND n.domain <> ${$.domain} LIMIT 1)`,
);

export async function acquaintanceOf(reader: Reader, asked: Asked): Promise<Acquaintance> {
  const tokens = [mailsToken, ...asked.tokens];
  const rows = await reader.run(acquaintance, { ...asked, tokens, accountId: reader.accountId });
  const textOf = (kind: string) => rows.find((row) => row.kind === kind)?.text ?? null;
  const counted = rows.filter(({ kind }) => kind === "token");
  const mails = counted.find(({ token }) => token === mailsToken);
  return {
    tokens: counted.filter(({ token }) => token !== mailsToken),
    mails: { ham: mails?.ham ?? 0, spam: mails?.spam ?? 0 },
    isCorrespondent: textOf("known") !== null,
    lookAlike: textOf("alike"),
    namesake: textOf("namesake"),
  };
}
