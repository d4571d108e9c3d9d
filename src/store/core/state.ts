import { type TypeName, typeCodes, typeNames } from "./change.ts";
import { AccountMissing } from "./errors.ts";
import type { Executor } from "./sql.ts";
import { statement } from "./sql.ts";

/** Where a type's data stands: the account's modseq when the type last changed, in one epoch. */
export interface State {
  epoch: number;
  modseq: number;
  /** Inside one huge change: the last id that a /changes page has told. */
  id?: number;
}

/** "1-42"; "1-42-17" between the pages of one change. */
export function encodeState({ epoch, modseq, id }: State): string {
  return id === undefined ? `${epoch}-${modseq}` : `${epoch}-${modseq}-${id}`;
}

/** Undefined for any text that is no state of ours. */
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
  /** When the terms of some message were last made anew: what a search finds may have changed then. */
  reindexedModseq: number;
  /** Some message's terms stand in several rows. */
  hasLongMails: boolean;
}

const columns = typeNames.map(
  (type) => `(SELECT max(c.modseq) FROM change c WHERE c.user_id = $1 AND c.type = ${typeCodes[type]}) AS "${type}"`,
);
interface AccountRow {
  epoch: number;
  modseq: number;
  pruned_modseq: number;
  reindexed_modseq: number;
  has_long_mails: boolean;
}
type StandingRow = AccountRow & Record<TypeName, number | null>;
const selectStanding = statement<StandingRow>(`
  SELECT a.epoch, a.modseq, a.pruned_modseq, a.reindexed_modseq,
    EXISTS (SELECT 1 FROM search_part p WHERE p.user_id = $1) AS has_long_mails, ${columns.join(", ")}
  FROM account a WHERE a.user_id = $1`);

/** Throws AccountMissing. */
export async function readStanding(executor: Executor, accountId: number): Promise<Standing> {
  const [row] = await executor.run(selectStanding, [accountId]);
  if (!row) throw new AccountMissing(accountId);
  const newest = Object.fromEntries(typeNames.map((type) => [type, row[type] ?? 0])) as Record<TypeName, number>;
  return {
    epoch: row.epoch,
    modseq: row.modseq,
    prunedModseq: row.pruned_modseq,
    newest,
    reindexedModseq: row.reindexed_modseq,
    hasLongMails: row.has_long_mails,
  };
}
