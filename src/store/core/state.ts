import { sql } from "kysely";
import { type TypeName, typeCodes, typeNames } from "./change.ts";
import { read } from "./declare.ts";
import { AccountMissing } from "./errors.ts";
import type { Executor } from "./sql.ts";

/** The state of a type: the account's modseq when the type last changed, within an epoch. */
export interface State {
  epoch: number;
  modseq: number;
  /** The last id on a /changes page that ended within one large change. */
  id?: number;
}

/** "1-42", or "1-42-17" between the pages of one change. */
export function encodeState({ epoch, modseq, id }: State): string {
  return id === undefined ? `${epoch}-${modseq}` : `${epoch}-${modseq}-${id}`;
}

/** Undefined for any text that `encodeState` would not write. */
export function decodeState(text: string): State | undefined {
  const match = /^(\d{1,9})-(\d{1,15})(?:-(\d{1,15}))?$/.exec(text);
  if (!match || /(^|-)0\d/.test(text)) return undefined;
  const state: State = { epoch: Number(match[1]), modseq: Number(match[2]) };
  return match[3] === undefined ? state : { ...state, id: Number(match[3]) };
}

/** The account's row and the newest modseq of each type, as one snapshot sees them. */
export interface Standing {
  epoch: number;
  modseq: number;
  prunedModseq: number;
  newest: Record<TypeName, number>;
  /** When search terms were last rebuilt: search results may have changed then. */
  reindexedModseq: number;
  /** Whether the terms of any message fill several rows. */
  hasLongMails: boolean;
}

const find = read("state.standing", (db, $: { accountId: number }) =>
  db
    .selectFrom("account as a")
    .select(["a.epoch", "a.modseq", "a.prunedModseq", "a.reindexedModseq"])
    .select((eb) => [
      sql<boolean>`EXISTS ${eb.selectFrom("searchPart as p").select("p.no").where("p.userId", "=", $.accountId)}`.as(
        "hasLongMails",
      ),
      ...typeNames.map((type) =>
        eb
          .selectFrom("change as c")
          .select(({ fn }) => fn.max("c.modseq").as("newest"))
          .where("c.userId", "=", $.accountId)
          .where("c.type", "=", typeCodes[type])
          .as(type),
      ),
    ])
    .where("a.userId", "=", $.accountId),
);

/** Throws AccountMissing. */
export async function readStanding(executor: Executor, accountId: number): Promise<Standing> {
  const [row] = await executor.run(find, { accountId });
  if (!row) throw new AccountMissing(accountId);
  const { epoch, modseq, prunedModseq, reindexedModseq, hasLongMails } = row;
  const newest = Object.fromEntries(typeNames.map((type) => [type, row[type] ?? 0])) as Standing["newest"];
  return { epoch, modseq, prunedModseq, newest, reindexedModseq, hasLongMails };
}
