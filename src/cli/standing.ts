import { holdSender, liftSender, listStandings, setSendingLimits, showStanding } from "../admin/standing.ts";
import type { SentCounts } from "../store/queues/sent-hours.ts";
import type { Context } from "./command.ts";
import { say, table } from "./prompt.ts";

const orUsual = (count: number | null) => (count === null ? "usual" : String(count));

export async function list({ admin, options }: Context): Promise<void> {
  const { limit, json } = options as { limit: number; json?: true };
  const rows = await listStandings(admin, limit);
  if (json) return say(JSON.stringify(rows, null, 2));
  if (rows.length === 0) return say("No account's mail is held, and none has limits of its own.");
  const cells = rows.map(({ login, hold, waiting, hourly, daily }) => [
    login,
    hold ? "held" : "sends",
    hold?.at ?? "",
    hold?.reason ?? "",
    String(waiting),
    orUsual(hourly),
    orUsual(daily),
  ]);
  say(table([["ACCOUNT", "MAIL", "SINCE", "REASON", "WAITING", "HOUR", "DAY"], ...cells]));
}

export async function show({ admin, config, options }: Context, account: string): Promise<void> {
  const shown = await showStanding(admin, account, config.sendingLimits);
  if (options.json) return say(JSON.stringify(shown, null, 2));
  const { hold, waiting, limits, goodDays, isOwnLimit, liftedAt, createdAt, sent } = shown;
  if (hold) say(`Held since ${hold.at} (${hold.reason}): ${hold.text}. ${waiting} deliveries wait.`);
  else say("Mail goes out.");
  const [hourly, daily] = [limits.hourly ?? "any number of", limits.daily ?? "any number"];
  say(`May send to ${hourly} recipients an hour and ${daily} a day${isOwnLimit ? ", as an operator has set" : ""}.`);
  say(`Account since ${createdAt.toISOString()}, ${goodDays} days of good sending in the last 30.`);
  if (liftedAt !== null) say(`Last let go at ${liftedAt}.`);
  const cells = (name: string, { messages, recipients, spam, away, hard, complaints }: SentCounts) => [
    name,
    ...[messages, recipients, spam, away, hard, complaints].map(String),
  ];
  const head = ["IN", "MAILS", "RECIPIENTS", "LIKE SPAM", "FROM A NEW NETWORK", "HARD BOUNCES", "COMPLAINTS"];
  say(table([head, cells("this hour", sent.hour), cells("24 hours", sent.day), cells("7 days", sent.week)]));
}

export async function hold({ admin, options }: Context, account: string): Promise<void> {
  const { reason, dryRun, json } = options as { reason: string; dryRun?: true; json?: true };
  const done = await holdSender(admin, account, { reason, isDryRun: dryRun === true });
  if (json) return say(JSON.stringify(done, null, 2));
  say(
    `${done.deliveries} deliveries ${dryRun ? "would be" : "are"} held${dryRun ? "" : ", and what is submitted next"}.`,
  );
}

export async function lift({ admin, options }: Context, account: string): Promise<void> {
  const { dryRun, json } = options as { dryRun?: true; json?: true };
  const done = await liftSender(admin, account, { isDryRun: dryRun === true });
  if (json) return say(JSON.stringify(done, null, 2));
  say(`${done.deliveries} deliveries ${dryRun ? "would go" : "go"} out.`);
}

export async function setLimits({ admin, options }: Context, account: string): Promise<void> {
  const { hour, day, json } = options as { hour?: number | null; day?: number | null; json?: true };
  const change = { ...(hour !== undefined && { hourly: hour }), ...(day !== undefined && { daily: day }) };
  const row = await setSendingLimits(admin, account, change);
  if (json) return say(JSON.stringify({ login: row.login, hourly: row.hourly, daily: row.daily }, null, 2));
  say(`${row.login}: ${orUsual(row.hourly)} recipients an hour, ${orUsual(row.daily)} a day.`);
}
