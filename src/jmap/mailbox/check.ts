import { decodeId, encodeId, idPrefix } from "../../base/ids.ts";
import { normalized } from "../../base/normalize.ts";
import { loadMailboxes, type MailboxRow } from "../../store/mail/mailboxes.ts";
import { invalidProperties, SetError, tooMany } from "../errors.ts";
import type { WriteCall } from "../method.ts";
import { refuse } from "../standard/faults.ts";
import type { CreateRecord, SetBatch, UpdateRecord } from "../standard/type.ts";

/** RFC 8621 §1.3.1: how many levels of mailboxes there may be. */
export const maxMailboxDepth = 10;
/** In octets of UTF-8. */
export const maxSizeMailboxName = 255;

/** In one account. */
export const maxMailboxes = 10_000;

/** A mailbox as it would be after the /set, and the record that creates or changes it. */
interface Planned {
  id: number;
  name: string;
  parentId: number | null;
  role: string | null;
  record: CreateRecord | UpdateRecord | undefined;
}

/** RFC 8621 §2, §2.5: judges the tree as it would be after the /set. */
export async function checkMailboxes(batch: SetBatch, call: WriteCall): Promise<void> {
  const rows = await loadMailboxes(call.tx);
  const plan = planTree(rows, batch);
  const { creates, updates } = batch.refused;
  const refused = [...updates, ...creates].map((record) => planned(record, plan));
  const over = Math.max(0, plan.size - maxMailboxes);
  for (const record of batch.creates.slice(Math.max(0, batch.creates.length - over))) {
    refuse(record, tooMany("mailboxes", maxMailboxes));
  }
  checkDestroys(rows, plan, batch);
  const all = [...plan.values(), ...refused];
  for (const mailbox of all) {
    checkName(mailbox);
    checkPlace(mailbox, plan);
  }
  checkUnique(all, (mailbox) => `${mailbox.parentId} ${mailbox.name}`, nameTaken);
  checkUnique(all, (mailbox) => mailbox.role, roleTaken);
  checkInbox(rows, plan, batch);
}

function planTree(rows: MailboxRow[], batch: SetBatch): Map<number, Planned> {
  const plan = new Map<number, Planned>(rows.map((row) => [row.id, { ...row, record: undefined }]));
  for (const { id } of batch.destroys) plan.delete(id);
  for (const record of [...batch.updates, ...batch.creates]) plan.set(record.id, planned(record, plan));
  return plan;
}

function planned(record: CreateRecord | UpdateRecord, plan: Map<number, Planned>): Planned {
  const old = plan.get(record.id);
  const { name, role = old?.role ?? null, parentId } = record.after as Partial<Record<string, string | null>>;
  const normal = name && normalized(name, "NFC");
  if (normal !== undefined && normal !== name) record.response.name = record.after.name = normal;
  return {
    id: record.id,
    name: normal ?? old?.name ?? "",
    role,
    // An id that is not a mailbox's becomes 0, which no mailbox has.
    parentId: parentId
      ? (decodeId(idPrefix.mailbox, parentId) ?? 0)
      : parentId === null
        ? null
        : (old?.parentId ?? null),
    record,
  };
}

/** RFC 5198: no control characters and no line separators. */
function checkName({ name, record }: Planned): void {
  const wrong = (text: string) => refuse(record, invalidProperties(`name: ${text}`, "name"));
  if (/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(name) || !name.isWellFormed()) wrong("has a control character");
  else if (name.trim() === "") wrong("is empty");
  else if (Buffer.byteLength(name) > maxSizeMailboxName) wrong(`is over ${maxSizeMailboxName} octets`);
}

function checkDestroys(rows: MailboxRow[], plan: Map<number, Planned>, batch: SetBatch): void {
  const parents = new Set([...plan.values()].map(({ parentId }) => parentId));
  const totals = new Map(rows.map((row) => [row.id, row.totalEmails]));
  for (const record of batch.destroys) {
    if (parents.has(record.id)) refuse(record, new SetError("mailboxHasChild"));
    else if (totals.get(record.id)! > 0 && batch.args.onDestroyRemoveEmails !== true) {
      refuse(record, new SetError("mailboxHasEmail"));
    }
  }
}

/** The parent must exist, and the path to the root must end within the allowed depth. */
function checkPlace({ id, parentId, record }: Planned, plan: Map<number, Planned>): void {
  if (parentId !== null && !plan.has(parentId)) {
    refuse(record, invalidProperties("parentId: no such mailbox", "parentId"));
    return;
  }
  let depth = 1;
  let isAtFault = record;
  for (let up = parentId; up !== null; up = plan.get(up)?.parentId ?? null) {
    isAtFault ??= plan.get(up)?.record;
    if (++depth > maxMailboxDepth || up === id) {
      refuse(isAtFault, invalidProperties("parentId: makes a loop, or nests too deeply", "parentId"));
      return;
    }
  }
}

type Taken = (holder: Planned) => SetError;
const nameTaken: Taken = ({ id }) => {
  return new SetError("alreadyExists", "a sibling has this name", { existingId: encodeId(idPrefix.mailbox, id) });
};
const roleTaken: Taken = () => invalidProperties("role: another mailbox has this role", "role");

/** An unchanged mailbox keeps its value; of two new or changed ones the later is refused. Refused records hold nothing. */
function checkUnique(all: Planned[], key: (mailbox: Planned) => string | null, error: Taken): void {
  const holders = new Map<string, Planned>();
  const isNewcomer = (mailbox: Planned) => mailbox.record !== undefined;
  for (const mailbox of [...all.filter((one) => !isNewcomer(one)), ...all.filter(isNewcomer)]) {
    const value = key(mailbox);
    if (value === null) continue;
    const holder = holders.get(value);
    if (!holder && !mailbox.record?.error) holders.set(value, mailbox);
    else if (holder && holder.id !== mailbox.id) refuse(mailbox.record, error(holder));
  }
}

/** Mail must arrive somewhere: an account that has an inbox keeps one. */
function checkInbox(rows: MailboxRow[], plan: Map<number, Planned>, batch: SetBatch): void {
  const inbox = rows.find((row) => row.role === "inbox");
  if (!inbox || [...plan.values()].some(({ role, record }) => role === "inbox" && !record?.error)) return;
  const record = [...batch.destroys, ...batch.updates].find(({ id }) => id === inbox.id);
  refuse(record, new SetError("forbidden", "the account must keep an inbox"));
}
