import { spawn } from "node:child_process";
import { lookup } from "node:dns/promises";
import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { BadTsigKey, readTsigKey } from "../../admin/dns-update/tsig.ts";
import { UpdateRefused, updateZone, type Wish } from "../../admin/dns-update/update.ts";
import type { RecordType } from "../../admin/dns-update/wire.ts";
import type { Checked } from "../../admin/domain-check/checked.ts";
import type { Random } from "../../base/clock.ts";
import { Failure } from "../fail.ts";
import type { SetupOptions } from "./answers.ts";

export type Publishing = Pick<SetupOptions, "dnsUpdate" | "dnsKeyFile" | "dnsHook">;

export interface Published {
  /** What now stands in the zone, or was handed to the hook. */
  done: Wish[];
  /** What could not be published, and why. */
  failed: { wish: Wish; reason: string }[];
}

/** The records of the domain's zone that are missing, and with `replaces` those that are wrong. */
export function wishesOf(checks: readonly Checked[], domain: string, replaces: boolean): Wish[] {
  return checks.flatMap(({ state, expected, name }) => {
    const isWanted = state === "missing" || (state === "wrong" && replaces);
    const [, type, value] = /^\S+ 3600 IN (A|AAAA|CNAME|MX|SRV|TXT) ((?:"[^"]*" ?)+|[^;]*)/.exec(expected ?? "") ?? [];
    const isInside = name === domain || name.endsWith(`.${domain}`);
    if (!isWanted || !isInside || type === undefined) return [];
    return [{ name, type: type as RecordType, value: value!.trim(), replaces: state === "wrong" }];
  });
}

/** Publishes as the options say; undefined if they name no way to. Throws a Failure if nothing could be published. */
export async function publish(
  wishes: readonly Wish[],
  domain: string,
  { options, random, now }: { options: Publishing; random: Random; now: Date },
): Promise<Published | undefined> {
  const { dnsUpdate, dnsKeyFile, dnsHook } = options;
  if (dnsUpdate === undefined && dnsHook === undefined) return undefined;
  if (wishes.length === 0) return { done: [], failed: [] };
  if (dnsHook !== undefined) return byHook(dnsHook, wishes, domain);
  if (dnsKeyFile === undefined) throw new Failure("--dns-update needs the key in --dns-key-file");
  const key = await keyIn(dnsKeyFile);
  const address = await addressOf(dnsUpdate!.address);
  try {
    await updateZone({ address, port: dnsUpdate!.port, key }, { domain, wishes, random, now });
  } catch (error) {
    if (error instanceof UpdateRefused) throw new Failure(`${error.message}. Nothing was published; run this again.`);
    throw error;
  }
  return { done: [...wishes], failed: [] };
}

async function addressOf(host: string): Promise<string> {
  return isIP(host) !== 0 ? host : (await lookup(host)).address;
}

async function keyIn(path: string) {
  const content = await readFile(path, "utf8").catch((error: Error) => {
    throw new Failure(`the key cannot be read: ${error.message}`);
  });
  try {
    return readTsigKey(content);
  } catch (error) {
    if (error instanceof BadTsigKey) throw new Failure(`${path}: ${error.message}`);
    throw error;
  }
}

const maxHookMs = 60_000;
const ttl = 3_600;

async function byHook(program: string, wishes: readonly Wish[], domain: string): Promise<Published> {
  const published: Published = { done: [], failed: [] };
  for (const wish of wishes) {
    const reason = await hookFault(program, wish, domain);
    if (reason === undefined) published.done.push(wish);
    else published.failed.push({ wish, reason });
  }
  return published;
}

/** Undefined if the program has ended well. */
async function hookFault(
  program: string,
  { name, type, value, replaces }: Wish,
  domain: string,
): Promise<string | undefined> {
  const action = replaces ? "replace" : "add";
  const child = spawn(program, [action, name, type, String(ttl), value], {
    stdio: ["pipe", "ignore", "pipe"],
    timeout: maxHookMs,
  });
  const ended = new Promise<string | undefined>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("close", (code, signal) => resolve(code === 0 ? undefined : `it ended with ${code ?? signal}`));
  });
  // A program that goes by its arguments may end before it reads.
  child.stdin.on("error", () => {});
  child.stdin.end(`${JSON.stringify({ action, domain, name, type, ttl, value })}\n`);
  const said = text(child.stderr).catch(() => "");
  const fault = await ended;
  return fault === undefined ? undefined : `${program}: ${(await said).trim().split("\n").at(-1) || fault}`;
}

/** Looks again, less and less often, until all that was published is seen or the time is over. */
export async function seen(
  look: () => Promise<Checked[]>,
  wishes: readonly Wish[],
  { waitMs, tell }: { waitMs: number; tell: (text: string) => void },
): Promise<Checked[]> {
  const end = performance.now() + waitMs;
  for (let pause = 500; ; pause = Math.min(pause * 2, 15_000)) {
    const checks = await look();
    const left = checks.filter(({ state, name }) => state !== "right" && wishes.some((wish) => wish.name === name));
    if (left.length === 0 || performance.now() + pause > end) return checks;
    tell(`Waiting until DNS has ${left.map(({ record }) => record).join(", ")}`);
    await sleep(pause);
  }
}
