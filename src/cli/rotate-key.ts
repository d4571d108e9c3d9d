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
import { say } from "./prompt.ts";
import { resolverOf } from "./resolver.ts";

/** DNS remembers for a while that a record was not there. */
const lookEveryMs = 15_000;

type Given = { wait?: true; dryRun?: true; retireAfter: number };

export async function rotate({ admin, config, options }: Context, text: string): Promise<void> {
  const given = options as Given;
  const resolver = resolverOf(config);
  const rotation = await rotationOf(admin, text);
  if (given.dryRun) return say(await nextStep(rotation, given, { admin, resolver }));
  const { domain } = rotation;
  await retire(admin, rotation, given);
  if (rotation.fresh.length === 0 && rotation.retired.some((key) => isRecent(key, given, admin))) {
    return say(waitText(rotation, given));
  }
  const { fresh } = rotation.fresh.length > 0 ? rotation : await beginRotation(admin, domain);
  say(`The new keys of ${domain}. Publish in its DNS, beside the old ones:\n\n${fresh.map(lineOf).join("\n")}\n`);
  let missing = await unpublished(fresh, resolver);
  if (missing.length > 0 && given.wait) say("Waiting until DNS has them; ^C stops that, and the same command goes on.");
  while (missing.length > 0 && given.wait) {
    await sleep(lookEveryMs);
    missing = await unpublished(fresh, resolver);
  }
  if (missing.length > 0) {
    return say(
      `DNS does not have ${namesOf(missing)} yet. Nothing has changed; run the same command again, or with --wait.`,
    );
  }
  const { retired } = await switchKeys(admin, domain);
  say(`The new keys sign from now on. ${namesOf(retired)} must stay in DNS for ${showDuration(given.retireAfter)}.`);
}

const isRecent = ({ since }: DkimKeyRow, { retireAfter }: Given, { store }: Admin) =>
  since.getTime() > store.clock.now().getTime() - retireAfter;

async function retire(admin: Admin, rotation: Rotation, { retireAfter }: Given): Promise<void> {
  const gone = await forgetRetired(admin, rotation, new Date(admin.store.clock.now().getTime() - retireAfter));
  if (gone.length > 0) say(`Remove from DNS: ${namesOf(gone)}. These keys are forgotten.\n`);
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
