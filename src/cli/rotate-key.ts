import { setTimeout as sleep } from "node:timers/promises";
import type { Admin } from "../admin/admin.ts";
import {
  beginRotation,
  dkimRecord,
  forgetRetired,
  type Rotation,
  rotationOf,
  switchKeys,
  unpublished,
} from "../admin/dkim-keys.ts";
import { recordLine } from "../admin/dns-records.ts";
import { showDuration } from "../config/values.ts";
import type { DkimKeyRow } from "../store/directory/dkim-keys.ts";
import type { Context } from "./command.ts";
import { answer, say } from "./prompt.ts";
import { resolverOf } from "./resolver.ts";

/** DNS remembers for a while that a record was not there. */
const lookEveryMs = 15_000;

type Given = { wait?: true; dryRun?: true; json?: true; retireAfter: number };

export async function rotate(context: Context, text: string): Promise<void> {
  const { admin, config, options } = context;
  const given = options as Given;
  const resolver = resolverOf(config);
  const rotation = await rotationOf(admin, text);
  const { domain } = rotation;
  const tell = (step: "next" | "waits" | "publish" | "switched", words: string, keys: readonly DkimKeyRow[] = []) =>
    answer(context, { domain, step, keys: keys.map(dkimRecord), words }, words);
  if (given.dryRun) return tell("next", await nextStep(rotation, given, { admin, resolver }));
  await retire(admin, rotation, given);
  if (rotation.fresh.length === 0 && rotation.retired.some((key) => isRecent(key, given, admin))) {
    return tell("waits", waitText(rotation, given));
  }
  const { fresh } = rotation.fresh.length > 0 ? rotation : await beginRotation(admin, domain);
  const inform = (words: string) => given.json || say(words);
  inform(`The new keys of ${domain}. Publish in its DNS, beside the old ones:\n\n${fresh.map(lineOf).join("\n")}\n`);
  let missing = await unpublished(fresh, resolver);
  if (missing.length > 0 && given.wait)
    inform("Waiting until DNS has them; ^C stops that, and the same command goes on.");
  while (missing.length > 0 && given.wait) {
    await sleep(lookEveryMs);
    missing = await unpublished(fresh, resolver);
  }
  if (missing.length > 0) {
    const words = `DNS does not have ${namesOf(missing)} yet. Nothing has changed; run the same command again, or with --wait.`;
    return tell("publish", words, fresh);
  }
  const { retired } = await switchKeys(admin, domain);
  const until = showDuration(given.retireAfter);
  tell("switched", `The new keys sign from now on. ${namesOf(retired)} must stay in DNS for ${until}.`, fresh);
}

const isRecent = ({ since }: DkimKeyRow, { retireAfter }: Given, { store }: Admin) =>
  since.getTime() > store.clock.now().getTime() - retireAfter;

async function retire(admin: Admin, rotation: Rotation, { retireAfter, json }: Given): Promise<void> {
  const gone = await forgetRetired(admin, rotation, new Date(admin.store.clock.now().getTime() - retireAfter));
  if (gone.length > 0 && !json) say(`Remove from DNS: ${namesOf(gone)}. These keys are forgotten.\n`);
}

function waitText({ domain, retired }: Rotation, { retireAfter }: Given): string {
  const [last] = retired.map(({ since }) => since.getTime()).toSorted((one, other) => other - one);
  const until = new Date(last! + retireAfter).toISOString().slice(0, 10);
  return `The keys of ${domain} were changed. Until ${until}, ${namesOf(retired)} must stay in DNS; then run this again.`;
}

async function nextStep(
  rotation: Rotation,
  given: Given,
  { admin, resolver }: { admin: Admin; resolver: ReturnType<typeof resolverOf> },
): Promise<string> {
  const { domain, fresh, retired } = rotation;
  if (fresh.length > 0) {
    const missing = await unpublished(fresh, resolver);
    if (missing.length > 0) return `The next step waits for DNS, which does not have ${namesOf(missing)} yet.`;
    return `DNS has the new keys of ${domain}: the next step lets them sign.`;
  }
  if (retired.some((key) => isRecent(key, given, admin))) return waitText(rotation, given);
  const first = retired.length > 0 ? `forgets ${namesOf(retired)}, and ` : "";
  return `The next step ${first}makes new keys for ${domain}, which sign nothing before DNS has them.`;
}

const namesOf = (keys: readonly DkimKeyRow[]) => keys.map((key) => dkimRecord(key).name).join(" and ");

const lineOf = (key: DkimKeyRow) => recordLine(dkimRecord(key));
