import { requireSecondFactor, resetSecondFactors, showSecondFactors } from "../admin/second-factors.ts";
import type { Context } from "./command.ts";
import { Failure } from "./fail.ts";
import { confirm, say, table } from "./prompt.ts";

export async function show(context: Context, text: string): Promise<void> {
  const { admin, options } = context;
  if (options.reset) return reset(context, text);
  const found = await showSecondFactors(admin, text);
  if (options.json) return say(JSON.stringify(found, null, 2));
  const { login, isNeeded, factors, recoveryCodes } = found;
  const need = isNeeded ? ", and must have one (see: posthorn domain require-second-factor)" : "";
  if (factors.length === 0) return say(`${login} has no second factor${need}.`);
  const date = (time: Date | null) => time?.toISOString().slice(0, 10) ?? "never";
  const rows = factors.map(({ kind, label, createdAt, usedAt }) => [kind, date(createdAt), date(usedAt), label]);
  say(table([["KIND", "SINCE", "USED", "LABEL"], ...rows]));
  say(`${recoveryCodes} recovery codes are left.`);
}

async function reset({ admin, options }: Context, text: string): Promise<void> {
  const { login, factors, recoveryCodes } = await showSecondFactors(admin, text);
  const all = `${factors.length} second factors and ${recoveryCodes} recovery codes of ${login}`;
  if (options.dryRun) return say(`This would remove ${all}.`);
  if (!options.yes && !(await confirm(`Make sure that it is ${login} who asks. Remove ${all}?`))) {
    throw new Failure("nothing was removed");
  }
  await resetSecondFactors(admin, login);
  say(
    `Removed ${all}, and signed out all browsers. The password signs in again; where a second factor is required, it sets up a new one first.`,
  );
}

export async function require({ admin, options }: Context, text: string): Promise<void> {
  const name = await requireSecondFactor(admin, text, !options.stop);
  say(
    options.stop
      ? `Accounts of ${name} may do without a second factor.`
      : `Accounts of ${name} must have a second factor: who has none is asked to set one up at the next sign-in.
Their passwords no longer work for SMTP and HTTP Basic; app passwords and tokens do.`,
  );
}
