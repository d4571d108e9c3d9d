import { encodeId, idPrefix } from "../../base/ids.ts";
import { createMaskedAddresses, maskedDomain, maxLabelLength, maxMaskedAddresses } from "../../mail/masked/create.ts";
import { holdsDomain } from "../../store/directory/directory.ts";
import { mainAddress } from "../../store/directory/logins.ts";
import {
  countMaskedAddresses,
  findMaskedAddresses,
  type MaskedAddress,
  removeMaskedAddresses,
  updateMaskedAddresses,
} from "../../store/directory/masked-addresses.ts";
import { capabilities } from "../capability-names.ts";
import { utcDateText } from "../dates.ts";
import { SetError, tooMany } from "../errors.ts";
import { lineUpTo, list, nullable, object, oneOf, type Schema, text, unsignedInt, utcDate } from "../schema.ts";
import { refuse } from "../standard/faults.ts";
import type { CreateRecord, DataType, JmapObject, SetHooks, UpdateRecord } from "../standard/type.ts";

const wholeSeconds = (date: Date) => utcDateText(new Date(Math.floor(date.getTime() / 1000) * 1000));

function toObject({ id, senders, createdAt, lastMessageAt, messages, ...row }: MaskedAddress): JmapObject {
  return {
    ...row,
    id: encodeId(idPrefix.maskedAddress, id),
    createdAt: wholeSeconds(createdAt),
    lastMessageAt: lastMessageAt && wholeSeconds(lastMessageAt),
    messageCount: messages,
    senders: senders.map((sender) => ({
      domain: sender.domain,
      messageCount: sender.messages,
      lastMessageAt: wholeSeconds(new Date(sender.lastMessageAt)),
    })),
  };
}

const wanted = ({ id, after }: CreateRecord | UpdateRecord) => ({
  ...(after as Pick<MaskedAddress, "label" | "state">),
  id,
});

const maskedAddressSet: SetHooks = {
  needs: ["label", "state"],

  /** Finds the domain of the account's addresses, which is stored outside of the account. */
  async prepare(_args, call): Promise<string | undefined> {
    const address = await mainAddress(call.services.store.database, call.accountId);
    return address === undefined ? undefined : maskedDomain(address);
  },

  async check(batch, { tx }) {
    if (batch.creates.length === 0) return;
    const domain = batch.prepared as string | undefined;
    const isServed = domain !== undefined && (await holdsDomain(tx, domain));
    let room = maxMaskedAddresses - (await countMaskedAddresses(tx)) + batch.destroys.length;
    for (const record of batch.creates) {
      if (!isServed) refuse(record, new SetError("forbidden", "this account has no domain for masked addresses"));
      else if (room-- <= 0) refuse(record, tooMany("masked addresses", maxMaskedAddresses));
    }
  },

  async destroy(records, _batch, call) {
    await removeMaskedAddresses(
      call.tx,
      records.map(({ id }) => id),
    );
  },

  async update(records, _batch, call) {
    await updateMaskedAddresses(call.tx, records.map(wanted));
  },

  async create(records, batch, call) {
    const { random } = call.services;
    const means = { domain: batch.prepared as string, random };
    const made = await createMaskedAddresses(call.tx, records.map(wanted), means);
    for (const [index, record] of records.entries()) {
      const fresh = { messages: 0, lastMessageAt: null, senders: [], createdAt: call.tx.now };
      const { id: _, label: _label, state: _state, ...response } = toObject({ ...made[index]!, ...fresh });
      record.response = response;
    }
  },
};

const serverSet = <T>(schema: Schema<T>) => ({ schema, serverSet: true, immutable: true }) as const;

/** An extension of this server (docs/jmap.md): addresses to give away one by one. */
export const maskedAddress = {
  name: "MaskedAddress",
  capability: capabilities.maskedAddresses,
  prefix: idPrefix.maskedAddress,
  maxObjects: maxMaskedAddresses,
  properties: {
    email: serverSet(text),
    label: { schema: lineUpTo(maxLabelLength), default: "" },
    state: { schema: oneOf("enabled", "disabled"), default: "enabled" },
    createdAt: serverSet(utcDate),
    lastMessageAt: serverSet(nullable(utcDate)),
    messageCount: serverSet(unsignedInt),
    senders: serverSet(list(object({ domain: text, messageCount: unsignedInt, lastMessageAt: utcDate }))),
  },
  async fetch(ids, { limit }, call): Promise<JmapObject[]> {
    return (await findMaskedAddresses(call.reader, ids, limit)).map(toObject);
  },
  set: maskedAddressSet,
} satisfies DataType;
