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
import { answer } from "./prompt.ts";

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

export async function copy(places: Places): Promise<void> {
  const { bodies, fallback, config, options } = places;
  if (!fallback) throw new Failure("name with --bodies-fallback where the bodies are now");
  const isDryRun = options.dryRun === true;
  const { copied, present, damaged } = await counting((tell) =>
    copyObjects({ from: fallback, to: bodies, isDryRun, tell }),
  );
  const [from, to] = [showBodiesPlace(config.bodiesFallback), showBodiesPlace(config.bodies)];
  const words = `${isDryRun ? "Would copy" : "Copied"} ${shown(copied)} from ${from} to ${to}; ${shown(present)} were there.`;
  const value = { from, to, copied, present, damaged: damaged.map(objectName) };
  answer(places, value, [words, ...damagedWords(from, damaged)].join("\n"));
  if (damaged.length > 0) process.exitCode = 1;
}

export async function verify(places: Places): Promise<void> {
  const { bodies, config } = places;
  const place = showBodiesPlace(config.bodies);
  const { intact, damaged } = await counting((tell) => verifyObjects(bodies, tell));
  const lacking = await countLacking(places);
  const words = [
    `${place}: ${shown(intact)} intact.`,
    ...damagedWords(place, damaged),
    ...lackingWords(config, lacking),
  ];
  answer(places, { place, intact, damaged: damaged.map(objectName), lacking: lacking ?? null }, words.join("\n"));
  if (damaged.length > 0 || (lacking?.objects ?? 0) > 0) process.exitCode = 1;
}

export async function status(places: Places): Promise<void> {
  const { bodies, fallback, config } = places;
  const count = (objects: ObjectStore) => counting((tell) => amountOf(objects, (done) => tell(done, undefined)));
  const own = await count(bodies);
  const other = fallback && (await count(fallback));
  const lacking = await countLacking(places);
  const words = [
    `${showBodiesPlace(config.bodies)}: ${shown(own)}.`,
    ...(other ? [`${showBodiesPlace(config.bodiesFallback)}: ${shown(other)}.`] : []),
    ...lackingWords(config, lacking),
  ];
  answer(places, { bodies: own, fallback: other ?? null, lacking: lacking ?? null }, words.join("\n"));
}

/** What only the fallback has; undefined without one. */
async function countLacking({ bodies, fallback }: Places): Promise<Amount | undefined> {
  return fallback && counting((tell) => lackingIn(bodies, fallback, tell));
}

function lackingWords(config: Config, lacking: Amount | undefined): string[] {
  if (!lacking) return [];
  const [from, to] = [showBodiesPlace(config.bodiesFallback), showBodiesPlace(config.bodies)];
  if (lacking.objects === 0) return [`All of ${from} is in ${to}.`];
  return [`${shown(lacking)} of ${from} are not in ${to} yet.`];
}

function damagedWords(place: string, damaged: StoredBlob[]): string[] {
  if (damaged.length === 0) return [];
  return [
    `${place}: ${damaged.length} damaged, which do not match their hash:`,
    ...damaged.slice(0, maxNamed).map((object) => `  ${objectName(object)}`),
    ...(damaged.length > maxNamed ? [`  and ${damaged.length - maxNamed} more`] : []),
  ];
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
