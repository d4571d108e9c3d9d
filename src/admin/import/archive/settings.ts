import { splitAddress } from "../../../base/address.ts";
import type { Tx } from "../../../store/core/store.ts";
import { holdsDomain } from "../../../store/directory/directory.ts";
import {
  findMaskedAddresses,
  type MaskedAddress,
  restoreMaskedAddresses,
} from "../../../store/directory/masked-addresses.ts";
import {
  findIdentities,
  type IdentityRow,
  insertIdentities,
  updateIdentities,
} from "../../../store/mail/identities.ts";
import { findVacation, type VacationRow, writeVacation } from "../../../store/mail/vacation.ts";
import { Malformed } from "./archived.ts";

type Shown = Record<string, unknown> & { id: string };

/** What of an archive was left out, and why. */
export interface LeftOut {
  type: string;
  id: string;
  reason: "waits-to-be-sent" | "no-message" | "address-taken" | "domain-not-served";
}

/** Archived id → the account's. An identity with the same address takes the archive's words; others are added. */
export async function restoreIdentities(tx: Tx, archived: readonly Shown[]): Promise<Map<string, number>> {
  const map = new Map<string, number>();
  const existing = await findIdentities(tx, null);
  const [changed, fresh]: [IdentityRow[], IdentityRow[]] = [[], []];
  const ids = await tx.newIds(archived.length);
  for (const shown of archived) {
    const row = { ...(shown as unknown as IdentityRow), id: ids.shift()!, mayDelete: true };
    if (typeof row.email !== "string" || typeof row.name !== "string") throw new Malformed(`the identity ${shown.id}`);
    const at = existing.findIndex(
      ({ email, name, mayDelete }) => email === row.email && (name === row.name || !mayDelete),
    );
    const [same] = at < 0 ? [] : existing.splice(at, 1);
    map.set(shown.id, same?.id ?? row.id);
    if (same) changed.push({ ...row, id: same.id });
    else fresh.push(row);
  }
  if (changed.length > 0) await updateIdentities(tx, changed);
  if (fresh.length > 0) await insertIdentities(tx, fresh);
  return map;
}

/** An account that has an answer of its own keeps it. */
export async function restoreVacation(tx: Tx, archived: Shown | undefined): Promise<void> {
  if (!archived || (await findVacation(tx))) return;
  const { isEnabled, fromDate, toDate, subject, textBody, htmlBody } = archived as Record<string, string | null>;
  const date = (text: string | null | undefined) => (text ? new Date(text) : null);
  const words = { subject: subject ?? null, textBody: textBody ?? null, htmlBody: htmlBody ?? null };
  const row: VacationRow = { isEnabled: Boolean(isEnabled), fromDate: date(fromDate), toDate: date(toDate), ...words };
  if (row.isEnabled || Object.values(words).some((text) => text !== null)) await writeVacation(tx, row);
}

/** Those whose addresses are free here, in domains of this server. */
export async function restoreMasks(tx: Tx, archived: readonly Shown[]): Promise<LeftOut[]> {
  const present = new Set((await findMaskedAddresses(tx, null, 100_000)).map(({ email }) => email));
  const left: LeftOut[] = [];
  const rows: MaskedAddress[] = [];
  const ids = await tx.newIds(archived.length);
  for (const shown of archived) {
    const row = toMask(shown, ids.shift()!);
    if (present.has(row.email)) continue;
    const domain = splitAddress(row.email)?.domain;
    const isServed = domain !== undefined && (await holdsDomain(tx, domain));
    if (isServed) rows.push(row);
    else left.push({ type: "MaskedAddress", id: shown.id, reason: "domain-not-served" });
  }
  const added = new Set((await restoreMaskedAddresses(tx, rows)).map(({ email }) => email));
  const taken = archived.filter(({ email }) => rows.some((row) => row.email === email && !added.has(row.email)));
  for (const { id } of taken) left.push({ type: "MaskedAddress", id, reason: "address-taken" });
  return left;
}

interface ShownMask {
  email: string;
  label: string;
  state: string;
  createdAt: string;
  lastMessageAt: string | null;
  messageCount: number;
  senders: { domain: string; messageCount: number; lastMessageAt: string }[];
}

function toMask(shown: Shown, id: number): MaskedAddress {
  const { email, label, state, createdAt, lastMessageAt, messageCount, senders } = shown as Partial<ShownMask>;
  const isSound = typeof email === "string" && typeof label === "string" && Array.isArray(senders);
  const at = new Date(createdAt ?? Number.NaN);
  if (!isSound || Number.isNaN(at.getTime())) throw new Malformed(`the masked address ${shown.id}`);
  return {
    id,
    email,
    label,
    state: state === "disabled" ? "disabled" : "enabled",
    createdAt: at,
    lastMessageAt: lastMessageAt ? new Date(lastMessageAt) : null,
    messages: messageCount ?? 0,
    senders: senders.map(({ messageCount: messages, ...rest }) => ({ ...rest, messages })),
  };
}
