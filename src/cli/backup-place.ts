import { randomBytes } from "node:crypto";
import { resolve } from "node:path";
import type { Command } from "commander";
import { BackupError } from "../backup/backup-error.ts";
import { readKeyFile } from "../backup/key.ts";
import { FolderPlace } from "../backup/places/folder.ts";
import type { Place } from "../backup/places/place.ts";
import { S3Place } from "../backup/places/s3.ts";
import { Repository } from "../backup/repository.ts";
import { systemClock } from "../base/clock.ts";
import { silentEvents } from "../base/events.ts";
import type { Log } from "../base/log.ts";
import type { Config } from "../config/schema.ts";
import { bodiesPlace, showBodiesPlace } from "../config/values.ts";
import { createLog } from "../ops/log.ts";
import { bucketOf } from "./bodies.ts";
import { Failure } from "./fail.ts";
import { configOf } from "./options.ts";

/** What a command about backups is given. */
export interface Given {
  config: Config;
  log: Log;
  options: Record<string, unknown>;
}

export function givenTo(command: Command): Given {
  const { config, sources } = configOf(command);
  const log = createLog(sources.logLevel === "default" ? "warn" : config.logLevel);
  return { config, log, options: command.opts<Record<string, unknown>>() };
}

/** Opens the repository that the options name; one `begins` where there is none. */
export async function openRepository(given: Given, place: unknown, { begins = false } = {}): Promise<Repository> {
  const key = readKeyFile(String(given.options.key));
  return Repository.open(placeOf(String(place), given), key, { clock: systemClock, random: randomBytes, begins });
}

function placeOf(text: string, { config, log }: Given): Place {
  if (!text.startsWith("s3://")) return new FolderPlace(resolve(text), randomBytes);
  const place = bodiesPlace(text);
  if (place.kind !== "s3") throw new Failure(`${text} is no place for a backup`);
  if (showBodiesPlace(place) === showBodiesPlace(config.bodies))
    throw new Failure(`${text} is where bodies are kept: name another prefix`);
  return new S3Place(bucketOf(place, config, { log, events: silentEvents }));
}

/** Words the errors of backups for the person who typed the command. */
export async function explained<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof BackupError ? new Failure(error.message) : error;
  }
}
