import { hashPassword, newAppPassword, newAppPasswordId } from "../../auth/secrets.ts";
import { idPrefix } from "../../base/ids.ts";
import { type AppPasswordRow, findAppPasswords, removeCredentials } from "../../store/directory/sign-ins.ts";
import { addAppPassword } from "../../store/directory/tokens.ts";
import { capabilities } from "../capability-names.ts";
import { utcDateText } from "../dates.ts";
import { SetError, tooMany } from "../errors.ts";
import type { Call } from "../method.ts";
import { changeOwnLogin, credentialId, credentialNumber, shownUse } from "../own-login.ts";
import { lineUpTo, nullable, text, utcDate } from "../schema.ts";
import type { CreateRecord, JmapObject, RecordType, SetHooks } from "../standard/type.ts";

/** An id of an app password is the first group of its secret. */
const idLength = 6;
/** Of a login; each costs nothing until it is used. */
export const maxAppPasswords = 50;

const hooks: SetHooks<Call> = {
  async create(records, _batch, call) {
    const { store, newAppPasswords, random } = call.services;
    const owner = { login: call.login.login, userId: call.login.userId };
    let left = maxAppPasswords - (await findAppPasswords(store.reader(owner.userId, call.login), owner)).length;
    for (const record of records) {
      if (left-- <= 0) record.error = tooMany("app passwords", maxAppPasswords);
      else if (!(await newAppPasswords.count(owner.login))) record.error = new SetError("rateLimit", "try again later");
      else await create(record);
    }

    /** Each is hashed before its transaction, which takes a while: so they are made one by one. */
    async function create(record: CreateRecord): Promise<void> {
      const { id, secret } = newAppPassword(random, credentialId(record.id, idLength));
      const hash = await hashPassword(secret);
      const label = record.after.label as string;
      const createdAt = store.clock.now();
      await changeOwnLogin(call, { act: "app-password.add", id }, (tx) =>
        addAppPassword({ database: tx, clock: { now: () => createdAt } }, { ...owner, id, label, hash }),
      );
      record.response = { createdAt: utcDateText(createdAt), lastUsedAt: null, network: null, secret };
    }
  },

  async destroy(records, _batch, call) {
    const ids = records.map(({ id }) => credentialId(id, idLength));
    await changeOwnLogin(call, { act: "credential.revoke", id: ids.join(" "), revokes: true }, (tx) =>
      removeCredentials(tx, call.login, { kind: "app", ids }),
    );
  },

  // Nothing of it changes.
  async update() {},
};

/** Ours (docs/jmap.md): a password for one program. It belongs to a login, so the methods take no account. */
export const appPassword = {
  name: "AppPassword",
  capability: capabilities.account,
  prefix: idPrefix.appPassword,
  properties: {
    label: { schema: lineUpTo(200), immutable: true },
    createdAt: { schema: utcDate, serverSet: true },
    lastUsedAt: { schema: nullable(utcDate), serverSet: true },
    network: { schema: nullable(text), serverSet: true },
  },
  async fetch(ids, { limit }, call): Promise<JmapObject[]> {
    const { store } = call.services;
    const rows = await findAppPasswords(store.reader(call.login.userId, call.login), call.login);
    const wanted = ids && new Set(ids);
    return rows
      .filter(({ id }) => !wanted || wanted.has(credentialNumber(id)))
      .slice(0, limit)
      .map(toObject);
  },
  set: hooks,
} satisfies RecordType<Call> & { name: string; capability: string; set: object };

export function newIds(count: number, random: Call["services"]["random"]): number[] {
  return Array.from({ length: count }, () => credentialNumber(newAppPasswordId(random)));
}

function toObject(row: AppPasswordRow): JmapObject {
  const { createdAt, usedAt } = row;
  const times = { createdAt: utcDateText(createdAt), lastUsedAt: usedAt && utcDateText(usedAt) };
  return { ...shownUse(idPrefix.appPassword, row), ...times };
}
