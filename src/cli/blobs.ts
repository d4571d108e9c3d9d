import type { Command } from "commander";
import { systemClock } from "../base/clock.ts";
import { silentEvents } from "../base/events.ts";
import type { Config } from "../config/schema.ts";
import { showBodiesPlace, showSize } from "../config/values.ts";
import { createLog } from "../ops/log.ts";
import {
  type Amount,
  amountOf,
  copyObjects,
  lackingIn,
  type Tell,
  verifyObjects,
} from "../store/blobs/objects/move.ts";
import { type ObjectStore, objectName, type StoredBlob } from "../store/blobs/objects/object-store.ts";
import { type Bodies, placesOf } from "./bodies.ts";
import { random } from "./command.ts";
import { Failure } from "./fail.ts";
import { configOf } from "./options.ts";
import { withProgress } from "./progress.ts";
import { say } from "./prompt.ts";

/** How many damaged bodies are named. */
const maxNamed = 20;

interface Places extends Bodies {
  config: Config;
  options: Record<string, unknown>;
}

/** Runs work on the places of the bodies that the command's options name. */
export async function onBodies(command: Command, run: (places: Places) => Promise<void>): Promise<void> {
  const { config, sources } = configOf(command);
  const log = createLog(sources.logLevel === "default" ? "warn" : config.logLevel);
  const places = placesOf(config, { clock: systemClock, random, log, events: silentEvents });
  await run({ ...places, config, options: command.opts<Record<string, unknown>>() });
}

export async function copy({ bodies, fallback, config, options }: Places): Promise<void> {
  if (!fallback) throw new Failure("name with --bodies-fallback where the bodies are now");
  const isDryRun = options.dryRun === true;
  const { copied, present, damaged } = await counting((tell) =>
    copyObjects({ from: fallback, to: bodies, isDryRun, tell }),
  );
  const [from, to] = [showBodiesPlace(config.bodiesFallback), showBodiesPlace(config.bodies)];
  say(`${isDryRun ? "Would copy" : "Copied"} ${shown(copied)} from ${from} to ${to}; ${shown(present)} were there.`);
  tellDamaged(from, damaged);
}

export async function verify({ bodies, fallback, config }: Places): Promise<void> {
  const place = showBodiesPlace(config.bodies);
  const { intact, damaged } = await counting((tell) => verifyObjects(bodies, tell));
  say(`${place}: ${shown(intact)} intact.`);
  tellDamaged(place, damaged);
  if (fallback && (await countLacking(bodies, fallback, config)) > 0) process.exitCode = 1;
}

export async function status({ bodies, fallback, config }: Places): Promise<void> {
  const count = (objects: ObjectStore) => counting((tell) => amountOf(objects, (done) => tell(done, undefined)));
  say(`${showBodiesPlace(config.bodies)}: ${shown(await count(bodies))}.`);
  if (!fallback) return;
  say(`${showBodiesPlace(config.bodiesFallback)}: ${shown(await count(fallback))}.`);
  await countLacking(bodies, fallback, config);
}

async function countLacking(bodies: ObjectStore, fallback: ObjectStore, config: Config): Promise<number> {
  const lacking = await counting((tell) => lackingIn(bodies, fallback, tell));
  const [from, to] = [showBodiesPlace(config.bodiesFallback), showBodiesPlace(config.bodies)];
  say(lacking.objects === 0 ? `All of ${from} is in ${to}.` : `${shown(lacking)} of ${from} are not in ${to} yet.`);
  return lacking.objects;
}

function tellDamaged(place: string, damaged: StoredBlob[]): void {
  if (damaged.length === 0) return;
  say(`${place}: ${damaged.length} damaged, which do not match their hash:`);
  for (const object of damaged.slice(0, maxNamed)) say(`  ${objectName(object)}`);
  if (damaged.length > maxNamed) say(`  and ${damaged.length - maxNamed} more`);
  process.exitCode = 1;
}

/** Shows how far the work is. */
function counting<T>(work: (tell: Tell) => Promise<T>): Promise<T> {
  return withProgress((progress) =>
    work((done, total) => progress(total ? `${shown(done)} of ${shown(total)}` : `${shown(done)} found`)),
  );
}

function shown({ objects, bytes }: Amount): string {
  return `${objects} ${objects === 1 ? "body" : "bodies"} (${showSize(bytes)})`;
}
