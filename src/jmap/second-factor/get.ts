import { countRecoveryCodes, findPasskeys, findTotp, needsSecondFactor } from "../../store/directory/second-factors.ts";
import { capabilities } from "../capability-names.ts";
import { utcDateText } from "../dates.ts";
import { type Call, plainMethod } from "../method.ts";
import { shownNetwork } from "../own-login.ts";
import { anything, bool, list, nullable, unsignedInt } from "../schema.ts";
import { getRecordArgs, getRecords } from "../standard/get.ts";
import type { JmapObject, RecordType } from "../standard/type.ts";

const singleton = "singleton";

/** Ours (docs/jmap.md): what the login proves itself by besides its password. It is changed by /auth/, in its owner's presence. */
const secondFactor = {
  name: "SecondFactor",
  capability: capabilities.account,
  prefix: "",
  singleton,
  properties: {
    isNeeded: { schema: bool, serverSet: true },
    totp: { schema: nullable(anything), serverSet: true },
    passkeys: { schema: list(anything), serverSet: true },
    recoveryCodesLeft: { schema: unsignedInt, serverSet: true },
  },
  fetch: async (_ids, _want, call): Promise<JmapObject[]> => [await read(call)],
} satisfies RecordType<Call> & { name: string; capability: string };

async function read({ login, services }: Call): Promise<JmapObject> {
  const { store } = services;
  const reader = store.reader(login.userId, login);
  const totp = await findTotp(reader, login.userId);
  const passkeys = await findPasskeys(reader, login.userId);
  return {
    id: singleton,
    isNeeded: await needsSecondFactor(store.database, login),
    totp: totp ? { createdAt: utcDateText(totp.createdAt), lastUsedAt: totp.usedAt && utcDateText(totp.usedAt) } : null,
    passkeys: passkeys.map(({ id, label, createdAt, usedAt, network }) => ({
      id: id.toString("base64url"),
      label,
      createdAt: utcDateText(createdAt),
      lastUsedAt: usedAt && utcDateText(usedAt),
      network: network && shownNetwork(network),
    })),
    recoveryCodesLeft: await countRecoveryCodes(reader, login.userId),
  };
}

/** Ours (docs/jmap.md), in the form of RFC 8620 §5.1 */
export const secondFactorGet = plainMethod({
  name: "SecondFactor/get",
  capability: secondFactor.capability,
  args: getRecordArgs,
  run: async (args, call) => ({ response: await getRecords(secondFactor, args, call) }),
});
