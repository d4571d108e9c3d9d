import { idPrefix } from "../../base/ids.ts";
import { findGrants, removeGrants, type ShownGrant } from "../../store/directory/oauth-grants.ts";
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
    await changeOwnLogin(call, { act: "credential.revoke", id: ids.join(" "), revokes: true }, async (tx) => {
      await removeCredentials(tx, call.login, { kind: "token", ids });
      await removeGrants(tx, call.login, ids);
    });
  },

  async create() {},
  async update() {},
};

/** Ours (docs/jmap.md): a browser that somebody signed in with, a program allowed by OAuth, or another token. It belongs to a login. */
export const signIn = {
  name: "SignIn",
  capability: capabilities.account,
  prefix: idPrefix.signIn,
  properties: {
    kind: { schema: text, serverSet: true },
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
    const reader = store.reader(call.login.userId, call.login);
    const tokens = await findSignIns(reader, call.login, clock.now());
    const grants = await findGrants(reader, call.login);
    const wanted = ids && new Set(ids);
    const isWanted = ({ id }: { id: string }) => !wanted || wanted.has(credentialNumber(id));
    const { credential } = call.login;
    const shown = [
      ...tokens.filter(isWanted).map((row) => tokenObject(row, credential)),
      ...grants.filter(isWanted).map(grantObject),
    ];
    return shown.slice(0, limit);
  },
  set: hooks,
} satisfies RecordType<Call> & { name: string; capability: string; set: object };

function grantObject(row: ShownGrant): JmapObject {
  const { name, createdAt, usedAt } = row;
  return {
    ...shownUse(idPrefix.signIn, { ...row, label: name }),
    kind: "application",
    agent: null,
    createdAt: utcDateText(createdAt),
    expiresAt: null,
    lastUsedAt: usedAt && utcDateText(usedAt),
    isCurrent: false,
  };
}

function tokenObject(row: SignInRow, credential: string): JmapObject {
  const { agent, createdAt, usedAt, expiresAt, isWeb } = row;
  return {
    ...shownUse(idPrefix.signIn, row),
    kind: isWeb ? "browser" : "token",
    agent,
    createdAt: utcDateText(createdAt),
    expiresAt: expiresAt && utcDateText(expiresAt),
    lastUsedAt: usedAt && utcDateText(usedAt),
    isCurrent: credential === `token:${row.id}`,
  };
}
