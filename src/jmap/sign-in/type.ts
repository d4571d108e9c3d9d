import { idPrefix } from "../../base/ids.ts";
import { findSignIns, removeCredentials, type SignInRow } from "../../store/directory/sign-ins.ts";
import { capabilities } from "../capability-names.ts";
import { utcDateText } from "../dates.ts";
import { SetError } from "../errors.ts";
import type { Call } from "../method.ts";
import { changeOwnLogin, credentialId, credentialNumber, shownUse } from "../own-login.ts";
import { bool, nullable, text, utcDate } from "../schema.ts";
import type { JmapObject, RecordType, SetHooks } from "../standard/type.ts";

/** Of a token's id. */
const idLength = 8;

const hooks: SetHooks<Call> = {
  async check({ creates }) {
    for (const record of creates) record.error = new SetError("forbidden", "it begins by signing in");
  },

  /** Connections that were opened with them close. */
  async destroy(records, _batch, call) {
    const ids = records.map(({ id }) => credentialId(id, idLength));
    await changeOwnLogin(call, { act: "credential.revoke", id: ids.join(" "), revokes: true }, (tx) =>
      removeCredentials(tx, call.login, { kind: "token", ids }),
    );
  },

  async create() {},
  async update() {},
};

/** Ours (docs/jmap.md): a browser that somebody signed in with, or another token. It belongs to a login. */
export const signIn = {
  name: "SignIn",
  capability: capabilities.account,
  prefix: idPrefix.signIn,
  properties: {
    label: { schema: text, serverSet: true },
    agent: { schema: nullable(text), serverSet: true },
    createdAt: { schema: utcDate, serverSet: true },
    expiresAt: { schema: nullable(utcDate), serverSet: true },
    lastUsedAt: { schema: nullable(utcDate), serverSet: true },
    network: { schema: nullable(text), serverSet: true },
    isCurrent: { schema: bool, serverSet: true },
  },
  async fetch(ids, { limit }, call): Promise<JmapObject[]> {
    const { store, clock } = call.services;
    const rows = await findSignIns(store.reader(call.login.userId, call.login), call.login, clock.now());
    const wanted = ids && new Set(ids);
    const found = rows.filter(({ id }) => !wanted || wanted.has(credentialNumber(id))).slice(0, limit);
    return found.map((row) => toObject(row, call.login.credential));
  },
  set: hooks,
} satisfies RecordType<Call> & { name: string; capability: string; set: object };

function toObject(row: SignInRow, credential: string): JmapObject {
  const { agent, createdAt, usedAt, expiresAt } = row;
  return {
    ...shownUse(idPrefix.signIn, row),
    agent,
    createdAt: utcDateText(createdAt),
    expiresAt: expiresAt && utcDateText(expiresAt),
    lastUsedAt: usedAt && utcDateText(usedAt),
    isCurrent: credential === `token:${row.id}`,
  };
}
