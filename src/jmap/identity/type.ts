import { encodeId, idPrefix } from "../../base/ids.ts";
import { isOwnAddress } from "../../mail/submit/own-address.ts";
import {
  countIdentities,
  deleteIdentities,
  findIdentities,
  type IdentityRow,
  insertIdentities,
  updateIdentities,
} from "../../store/mail/identities.ts";
import { capabilities } from "../capability-names.ts";
import { SetError, tooMany } from "../errors.ts";
import { bool, lineUpTo, list, nullable, object, optional, storableUpTo } from "../schema.ts";
import { refuse } from "../standard/faults.ts";
import type { CreateRecord, DataType, JmapObject, SetHooks, UpdateRecord } from "../standard/type.ts";

/** In one account. */
const maxIdentities = 1_000;
const addresses = nullable(
  list(object({ name: optional(nullable(lineUpTo(1000))), email: lineUpTo(1000) }), { maxItems: 100 }),
);
const signature = storableUpTo(100_000);

const identitySet: SetHooks = {
  needs: ["name", "email", "replyTo", "bcc", "textSignature", "htmlSignature", "mayDelete"],

  /** Finds the new identities' addresses that belong to the account: they are stored outside of it. */
  async prepare(args, call): Promise<Set<string>> {
    const allowed = new Set<string>();
    for (const { email } of Object.values((args.create ?? {}) as Record<string, JmapObject>)) {
      if (typeof email !== "string" || allowed.has(email)) continue;
      if (await isOwnAddress(call.services.store.database, email, call.accountId)) allowed.add(email);
    }
    return allowed;
  },

  async check(batch, { tx }) {
    if (batch.creates.length > 0) {
      let room = maxIdentities - (await countIdentities(tx)) + batch.destroys.length;
      for (const record of batch.creates) if (room-- <= 0) refuse(record, tooMany("identities", maxIdentities));
    }
    const allowed = batch.prepared as Set<string>;
    for (const record of batch.creates) {
      if (!allowed.has(record.after.email as string)) {
        refuse(record, new SetError("forbiddenFrom", `${record.after.email} is not an address of this account`));
      }
    }
    for (const record of batch.destroys) {
      if (!record.before.mayDelete) refuse(record, new SetError("forbidden", "this identity cannot be deleted"));
    }
  },

  async destroy(records, _batch, call) {
    await deleteIdentities(
      call.tx,
      records.map(({ id }) => id),
    );
  },

  async update(records, _batch, call) {
    await updateIdentities(call.tx, records.map(toRow));
  },

  async create(records, _batch, call) {
    await insertIdentities(call.tx, records.map(toRow));
    for (const record of records) record.response = { mayDelete: true };
  },
};

function toRow({ id, after }: CreateRecord | UpdateRecord): IdentityRow {
  return { ...(after as Omit<IdentityRow, "id" | "mayDelete">), id, mayDelete: true };
}

/** RFC 8621 §6 */
export const identity = {
  name: "Identity",
  capability: capabilities.submission,
  prefix: idPrefix.identity,
  maxObjects: maxIdentities,
  properties: {
    name: { schema: lineUpTo(1000), default: "" },
    email: { schema: lineUpTo(320), immutable: true },
    replyTo: { schema: addresses, default: null },
    bcc: { schema: addresses, default: null },
    textSignature: { schema: signature, default: "" },
    htmlSignature: { schema: signature, default: "" },
    mayDelete: { schema: bool, serverSet: true },
  },
  async fetch(ids, { limit }, call): Promise<JmapObject[]> {
    const rows = await findIdentities(call.reader, ids, limit);
    return rows.map((row) => ({ ...row, id: encodeId(idPrefix.identity, row.id) }));
  },
  set: identitySet,
} satisfies DataType;
