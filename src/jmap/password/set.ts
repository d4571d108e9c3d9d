import { maxPasswordLength, minPasswordLength, type PasswordFault, passwordFault } from "../../auth/password-rules.ts";
import { hashPassword } from "../../auth/secrets.ts";
import { setPassword } from "../../store/directory/logins.ts";
import { currentPasswordHash } from "../../store/directory/sign-ins.ts";
import { capabilities } from "../capability-names.ts";
import { invalidProperties, SetError } from "../errors.ts";
import { type Call, plainMethod } from "../method.ts";
import { changeOwnLogin, mayChangeCredentials } from "../own-login.ts";
import { nullable, textUpTo } from "../schema.ts";
import { Faults, refuse } from "../standard/faults.ts";
import { setRecordArgs, setRecords } from "../standard/set.ts";
import type { RecordType, SetHooks, UpdateRecord } from "../standard/type.ts";

const singleton = "singleton";

const wrong = () => invalidProperties("currentPassword: is wrong", "currentPassword");

async function change(record: UpdateRecord, call: Call): Promise<void> {
  const { authenticator, store } = call.services;
  const { login, credential } = call.login;
  const { currentPassword, password } = record.after as { currentPassword: string; password: string };
  // Guesses count as guesses at signing in do.
  const verified = await authenticator.checkFirstFactor(login, currentPassword, undefined);
  if (verified === "throttled") return refuse(record, new SetError("rateLimit", "too many wrong passwords recently"));
  if (verified?.credential !== "password") return refuse(record, wrong());
  const passwordHash = await hashPassword(password);
  const thisToken = /^token:(.*)/.exec(credential)?.[1];
  try {
    await changeOwnLogin(call, { act: "account.password", revokes: true }, async (tx) => {
      const current = await currentPasswordHash(tx, login);
      // Another change came first, so the password that was verified is no longer the current one.
      if (current === undefined || !authenticator.wasVerifiedBy(verified, current)) throw wrong();
      await setPassword({ database: tx, clock: store.clock }, login, passwordHash, thisToken);
    });
  } catch (error) {
    if (!(error instanceof SetError)) throw error;
    refuse(record, error);
  }
}

const words: Record<PasswordFault, string> = {
  short: `has less than ${minPasswordLength} characters`,
  long: `has more than ${maxPasswordLength} characters`,
  common: "is one of those that are tried first",
  address: "is the address",
};

const hooks: SetHooks<Call> = {
  async check({ updates, refused }, call) {
    for (const record of [...updates, ...refused.updates]) {
      if (record.changed.size === 0 && !record.error) continue;
      const { currentPassword, password } = record.after as Record<string, string | null>;
      const faults = new Faults();
      if (currentPassword === null) faults.add("currentPassword", "is missing");
      if (password === null) faults.add("password", "is missing");
      else if (password !== undefined) {
        const fault = passwordFault(password, call.login.login);
        if (fault) faults.add("password", words[fault]);
      }
      refuse(record, faults.error());
    }
  },

  async update([record], _batch, call) {
    await change(record!, call);
  },

  // A singleton is neither created nor destroyed, so these get no records.
  async create() {},
  async destroy() {},
};

const secret = { schema: nullable(textUpTo(maxPasswordLength)), default: null };

/** The login's password. It can't be read, so there is no /get. */
const password = {
  capability: capabilities.account,
  prefix: "",
  singleton,
  properties: { currentPassword: secret, password: secret },
  fetch: async () => [{ id: singleton, currentPassword: null, password: null }],
  set: hooks,
} satisfies RecordType<Call> & { capability: string; set: object };

/** Ours (docs/jmap.md), in the form of RFC 8620 §5.3 */
export const passwordSet = plainMethod({
  name: "Password/set",
  capability: password.capability,
  args: setRecordArgs,
  async run(args, call) {
    mayChangeCredentials(call);
    return setRecords(password, args, call, async (count) => Array.from({ length: count }, () => 0));
  },
});
