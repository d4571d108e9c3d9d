import { decodeId, encodeId } from "../../base/ids.ts";
import { loadMailboxes, type MailboxRow } from "../../store/mailboxes.ts";
import { invalidProperties, SetError } from "../errors.ts";
import { idPrefix } from "../ids.ts";
import type { WriteCall } from "../method.ts";
import type { CreateRecord, SetBatch, UpdateRecord } from "../standard/type.ts";

/** RFC 8621 §1.3.1: how many mailboxes deep the tree may go. */
export const maxMailboxDepth = 10;
/** In octets of UTF-8. */
export const maxSizeMailboxName = 255;

/** A mailbox as it will stand, with the record that makes it so. */
interface Planned {
  id: number;
  name: string;
  parentId: number | null;
  role: string | null;
  record: CreateRecord | UpdateRecord | undefined;
}

/** RFC 8621 §2, §2.5: judges the tree as it will stand. */
export async function checkMailboxes(batch: SetBatch, call: WriteCall): Promise<void> {
  const rows = await loadMailboxes(call.tx);
  const plan = planTree(rows, batch);
  checkDestroys(rows, plan, batch);
  for (const mailbox of plan.values()) checkPlace(mailbox, plan);
  checkUnique(plan, (mailbox) => `${mailbox.parentId} ${mailbox.name}`, nameTaken);
  checkUnique(plan, (mailbox) => mailbox.role, roleTaken);
  checkInbox(rows, plan, batch);
}

function planTree(rows: MailboxRow[], batch: SetBatch): Map<number, Planned> {
  const plan = new Map<number, Planned>(rows.map((row) => [row.id, { ...row, record: undefined }]));
  for (const { id } of batch.destroys) plan.delete(id);
  for (const record of [...batch.updates, ...batch.creates]) {
    const old = plan.get(record.id);
    const { after } = record;
    if (typeof after.name === "string") after.name = checkedName(after.name, record);
    const { name = old?.name, role = old?.role ?? null, parentId } = after as Partial<Record<string, string | null>>;
    plan.set(record.id, {
      id: record.id,
      name: name ?? "",
      role,
      // 0 is no mailbox: an id that is none of ours names nothing.
      parentId: parentId
        ? (decodeId(idPrefix.mailbox, parentId) ?? 0)
        : parentId === null
          ? null
          : (old?.parentId ?? null),
      record,
    });
  }
  return plan;
}

/** RFC 5198: NFC, without control characters and line separators. */
function checkedName(name: string, record: CreateRecord | UpdateRecord): string {
  const normal = name.normalize("NFC");
  if (normal !== name) record.response.name = normal;
  if (/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(normal) || !normal.isWellFormed()) {
    fail(record, invalidProperties("name: has a control character", "name"));
  } else if (normal.trim() === "") fail(record, invalidProperties("name: is empty", "name"));
  else if (Buffer.byteLength(normal) > maxSizeMailboxName) {
    fail(record, invalidProperties(`name: is over ${maxSizeMailboxName} octets`, "name"));
  }
  return normal;
}

function fail(record: { error?: SetError } | undefined, error: SetError): void {
  if (record && !record.error) record.error = error;
}

function checkDestroys(rows: MailboxRow[], plan: Map<number, Planned>, batch: SetBatch): void {
  const parents = new Set([...plan.values()].map(({ parentId }) => parentId));
  const totals = new Map(rows.map((row) => [row.id, row.totalEmails]));
  for (const record of batch.destroys) {
    if (parents.has(record.id)) fail(record, new SetError("mailboxHasChild"));
    else if (totals.get(record.id)! > 0 && batch.args.onDestroyRemoveEmails !== true) {
      fail(record, new SetError("mailboxHasEmail"));
    }
  }
}

/** The parent must be there, and the way up must end within the depth allowed. */
function checkPlace({ parentId, record }: Planned, plan: Map<number, Planned>): void {
  if (parentId !== null && !plan.has(parentId)) {
    fail(record, invalidProperties("parentId: no such mailbox", "parentId"));
    return;
  }
  let depth = 1;
  let isAtFault = record;
  for (let up = parentId; up !== null; up = plan.get(up)?.parentId ?? null) {
    isAtFault ??= plan.get(up)?.record;
    if (++depth > maxMailboxDepth) {
      fail(isAtFault, invalidProperties("parentId: a loop, or too deep", "parentId"));
      return;
    }
  }
}

type Taken = (holder: Planned) => SetError;
const nameTaken: Taken = ({ id }) => {
  return new SetError("alreadyExists", "a sibling has this name", { existingId: encodeId(idPrefix.mailbox, id) });
};
const roleTaken: Taken = () => invalidProperties("role: another mailbox has it", "role");

/** Whoever held the value before keeps it; the later of two newcomers yields. */
function checkUnique(plan: Map<number, Planned>, key: (mailbox: Planned) => string | null, error: Taken): void {
  const holders = new Map<string, Planned>();
  const isNewcomer = (mailbox: Planned) => mailbox.record !== undefined;
  const all = [...plan.values()];
  for (const mailbox of [...all.filter((one) => !isNewcomer(one)), ...all.filter(isNewcomer)]) {
    const value = key(mailbox);
    if (value === null || mailbox.record?.error) continue;
    const holder = holders.get(value);
    if (holder) fail(mailbox.record, error(holder));
    else holders.set(value, mailbox);
  }
}

/** Mail has to arrive somewhere: an account that has an inbox keeps one. */
function checkInbox(rows: MailboxRow[], plan: Map<number, Planned>, batch: SetBatch): void {
  const inbox = rows.find((row) => row.role === "inbox");
  if (!inbox || [...plan.values()].some(({ role, record }) => role === "inbox" && !record?.error)) return;
  const record = [...batch.destroys, ...batch.updates].find(({ id }) => id === inbox.id);
  fail(record, new SetError("forbidden", "the inbox is needed"));
}
