import { randomBytes } from "node:crypto";
import { resolve } from "node:path";
import type { Command } from "commander";
import { planRestore, type Restored, restoreBeside, restoreInstallation } from "../backup/restore.ts";
import { systemClock } from "../base/clock.ts";
import { silentEvents } from "../base/events.ts";
import { listed, shown } from "./backup.ts";
import { explained, type Given, givenTo, openRepository } from "./backup-place.ts";
import { bodiesOf } from "./bodies.ts";
import { withStore } from "./database.ts";
import { Failure } from "./fail.ts";
import { operator } from "./operator.ts";
import { withProgress } from "./progress.ts";
import { answer } from "./prompt.ts";
import { restoreAccount } from "./restore-account.ts";

export async function restore(command: Command): Promise<void> {
  const given = givenTo(command);
  const { options, config } = given;
  if (options.into !== undefined && options.account === undefined) throw new Failure("--into goes with --account");
  if (options.account !== undefined) return explained(() => restoreAccount(given));
  await explained(() => (config.databaseUrl === "" ? whole(given) : beside(given)));
}

async function whole(given: Given): Promise<void> {
  const { config, log, options } = given;
  const repository = await openRepository(given, options.from);
  const dataFolder = resolve(config.data);
  const to = options.to as Date | undefined;
  if (options.dryRun) {
    const { full, logs, to: cut } = await planRestore({ repository, dataFolder, to });
    const moment = cut?.toISOString() ?? logs.at(-1)!.until;
    const plan = { moment, full: full.id, logs: logs.map(({ id }) => id) };
    return answer(
      given,
      plan,
      `Would restore ${dataFolder} as of ${moment}, from the backup ${full.id} and the log of ${logs.length}.`,
    );
  }
  const surroundings = { clock: systemClock, random: randomBytes, log, events: silentEvents };
  const work = { repository, objects: bodiesOf(config, surroundings), dataFolder, to, ...shared(given) };
  tellOf(given, await withProgress((tell) => restoreInstallation({ ...work, tell })));
}

/** The bodies beside a database that was restored by its own tools. */
async function beside(given: Given): Promise<void> {
  const { config, log, options } = given;
  if (options.to !== undefined)
    throw new Failure("--to is for the database that comes with Posthorn: yours is restored by its own tools");
  if (options.dryRun) throw new Failure("--dry-run is for the database that comes with Posthorn");
  const repository = await openRepository(given, options.from);
  await withStore({ config, log, begins: false, migrates: false }, async ({ store, objects }) => {
    tellOf(given, await withProgress((tell) => restoreBeside({ repository, objects, store, ...shared(given), tell })));
  });
}

const shared = ({ options, log }: Given) => ({
  skipsDamaged: options.skipDamaged === true,
  clock: systemClock,
  log,
  who: operator(),
});

function tellOf(given: Given, restored: Restored): void {
  const { moment, missing } = restored;
  const words = [
    `Restored as of ${moment}: ${shown(restored.restored)}; ${shown(restored.present)} were there.`,
    ...(missing.length > 0 ? [`${missing.length} bodies are lacking:`, ...listed(missing)] : []),
    "Clients read everything again. Mail that waited then and has left since will leave again (see: posthorn queue list).",
  ];
  answer(given, restored, words.join("\n"));
  if (missing.length > 0) process.exitCode = 1;
}
