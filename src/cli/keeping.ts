import { holdsOf, liftHold, placeHold, removeRule, rulesOf, runRetention, setRule } from "../admin/keeping.ts";
import type { Context } from "./command.ts";
import { Failure } from "./fail.ts";
import { withProgress } from "./progress.ts";
import { answer, confirm, say, table } from "./prompt.ts";

export async function place(context: Context, scope: string): Promise<void> {
  const reason = context.options.reason as string;
  const hold = await withProgress((tell) => placeHold(context.admin, { scope, reason }, tell));
  const words = `Hold ${hold.id}: what ${hold.scope} destroys from now on is kept (${hold.accounts} accounts).`;
  answer(context, hold, words);
}

export async function holds({ admin, options }: Context): Promise<void> {
  const all = await holdsOf(admin);
  if (options.json) return say(JSON.stringify(all, null, 2));
  if (all.length === 0) return say("There are no holds.");
  const rows = all.map(({ id, scope, reason, who, placedAt }) => [id, scope, placedAt.toISOString(), who, reason]);
  say(table([["HOLD", "SCOPE", "SINCE", "BY", "REASON"], ...rows]));
}

export async function lift(context: Context, id: string): Promise<void> {
  const question = `Lift the hold ${id}? What it kept beyond its time goes.`;
  if (!context.options.yes && !(await confirm(question))) throw new Failure("the hold stays");
  const hold = await withProgress((tell) => liftHold(context.admin, id, tell));
  answer(context, hold, `Lifted the hold of ${hold.scope}.`);
}

export async function set(context: Context, scope: string): Promise<void> {
  const { options } = context;
  const [destroyAfter, keepFor] = [days(options.destroyAfter), days(options.keepFor)];
  if (destroyAfter === null && keepFor === null) throw new Failure("give --destroy-after, --keep-for, or both");
  const mailbox = (options.mailbox as string | undefined) ?? null;
  if (keepFor !== null && mailbox !== null) throw new Failure("--keep-for is for all mailboxes: leave out --mailbox");
  const rule = await withProgress((tell) => setRule(context.admin, { scope, mailbox, destroyAfter, keepFor }, tell));
  answer(
    context,
    rule,
    `Rule ${rule.id} is set for ${rule.scope}; "posthorn retention run --dry-run" shows what it would destroy.`,
  );
}

function days(given: unknown): number | null {
  if (given === undefined) return null;
  if (!/^[1-9]\d{0,4}$/.test(String(given))) throw new Failure(`"${given}" is not a number of days from 1 to 99999`);
  return Number(given);
}

export async function rules({ admin, options }: Context): Promise<void> {
  const all = await rulesOf(admin);
  if (options.json) return say(JSON.stringify(all, null, 2));
  if (all.length === 0) return say("There are no rules: mail is kept until somebody destroys it.");
  const cell = (number: number | null) => (number === null ? "-" : String(number));
  const rows = all.map(({ id, scope, mailbox, destroyAfter, keepFor }) => [
    ...[id, scope, mailbox ?? "all", cell(destroyAfter), cell(keepFor)],
  ]);
  say(table([["RULE", "SCOPE", "MAILBOX", "DESTROY AFTER", "KEEP FOR"], ...rows]));
}

export async function remove(context: Context, id: string): Promise<void> {
  const rule = await withProgress((tell) => removeRule(context.admin, id, tell));
  answer(context, rule, `Removed the rule of ${rule.scope}.`);
}

export async function run(context: Context): Promise<void> {
  const { admin, options } = context;
  const isDry = options.dryRun === true;
  if (!isDry && !options.yes && !(await confirm("Destroy what the rules say?")))
    throw new Failure("nothing was destroyed");
  const done = await withProgress((tell) => runRetention(admin, { isDry, tell }));
  const words =
    done.length === 0
      ? "The rules destroy nothing."
      : table([
          ["RULE", "ACCOUNT", isDry ? "WOULD DESTROY" : "DESTROYED"],
          ...done.map(({ rule, login, emails }) => [rule, login, String(emails)]),
        ]);
  answer(context, done, words);
}
