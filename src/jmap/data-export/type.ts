import { encodeId, idPrefix } from "../../base/ids.ts";
import { encodeBlobId } from "../../store/blobs/blob-id.ts";
import { appendAudit } from "../../store/directory/audit.ts";
import {
  addDataExport,
  type DataExportRow,
  destroyDataExports,
  findDataExports,
  hasFailed,
} from "../../store/mail/data-exports.ts";
import { capabilities } from "../capability-names.ts";
import { utcDateText } from "../dates.ts";
import { MethodError, SetError, tooMany } from "../errors.ts";
import type { Call } from "../method.ts";
import { id, nullable, oneOf, unsignedInt, utcDate } from "../schema.ts";
import { refuse } from "../standard/faults.ts";
import type { DataType, JmapObject, SetHooks } from "../standard/type.ts";

/** An account may ask for one export in this time. */
export const exportPauseMs = 24 * 3_600_000;

/** Whoever an account is shared with may not take all of it away. */
function mustBeOwner({ login, accountId }: Call): void {
  if (login.userId !== accountId) throw new MethodError("forbidden", "an account is exported by its owner alone");
}

const wholeSeconds = (date: Date) => utcDateText(new Date(Math.floor(date.getTime() / 1000) * 1000));

function toObject(row: DataExportRow): JmapObject {
  return {
    id: encodeId(idPrefix.dataExport, row.id),
    state: hasFailed(row) ? "failed" : row.state,
    failure: hasFailed(row) ? (row.state === "noRoom" ? "noRoom" : "attempts") : null,
    createdAt: wholeSeconds(row.createdAt),
    messagesDone: row.done,
    messagesTotal: row.total,
    blobId: row.sha256.length > 0 ? encodeBlobId(row.sha256) : null,
    size: row.size,
    expiresAt: row.expiresAt && wholeSeconds(row.expiresAt),
  };
}

const set: SetHooks = {
  async check(batch, call) {
    mustBeOwner(call);
    if (batch.creates.length === 0) return;
    const { tx } = call;
    const rows = await findDataExports(tx);
    const isOpen = rows.some(({ state }) => state === "waiting" || state === "running");
    const since = tx.now.getTime() - exportPauseMs;
    // One that failed need not be waited for.
    const isRecent = rows.some((row) => !hasFailed(row) && row.createdAt.getTime() > since);
    for (const [at, record] of batch.creates.entries()) {
      if (isOpen || at > 0) refuse(record, tooMany("exports at a time", 1));
      else if (isRecent) refuse(record, new SetError("rateLimit", "one export in 24 hours"));
    }
  },

  async destroy(records, _batch, call) {
    await destroyDataExports(
      call.tx,
      records.map((record) => record.id),
    );
  },

  // Nothing of it changes.
  async update() {},

  async create(records, _batch, { tx, login }) {
    for (const record of records) {
      await addDataExport(tx, record.id);
      await appendAudit(tx, { who: login.login, what: { act: "account.export", format: "archive" } });
      const row = { state: "waiting", done: 0, total: 0, attempts: 0, size: 0, expiresAt: null, hidden: false };
      const { id: _, ...response } = toObject({ ...row, id: record.id, createdAt: tx.now, sha256: Buffer.alloc(0) });
      record.response = response;
    }
  },
};

/** Ours (docs/jmap.md): an archive of the whole account, which its owner asks for and downloads. */
export const dataExport = {
  name: "DataExport",
  capability: capabilities.dataExport,
  prefix: idPrefix.dataExport,
  properties: {
    state: { schema: oneOf("waiting", "running", "done", "failed", "expired"), serverSet: true },
    failure: { schema: nullable(oneOf("noRoom", "attempts")), serverSet: true },
    createdAt: { schema: utcDate, serverSet: true },
    messagesDone: { schema: unsignedInt, serverSet: true },
    messagesTotal: { schema: unsignedInt, serverSet: true },
    blobId: { schema: nullable(id), serverSet: true },
    size: { schema: unsignedInt, serverSet: true },
    expiresAt: { schema: nullable(utcDate), serverSet: true },
  },
  mayRead: mustBeOwner,
  async fetch(ids, { limit }, call): Promise<JmapObject[]> {
    mustBeOwner(call);
    const rows = (await findDataExports(call.reader)).filter((row) => !row.hidden && (!ids || ids.includes(row.id)));
    return rows.slice(0, limit).map(toObject);
  },
  set,
} satisfies DataType;
