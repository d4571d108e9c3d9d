import { accessSync, constants, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { coverageReport } from "./coverage.ts";
import { login } from "./login.ts";
import { hostAndPort, type Options, readOptions } from "./options.ts";
import { Progress, summary } from "./report/console.ts";
import { judge, readExpected } from "./report/expected.ts";
import { html } from "./report/html.ts";
import { junit } from "./report/junit.ts";
import type { Test } from "./runner/define.ts";
import { pattern } from "./runner/pattern.ts";
import { PushListener } from "./runner/push-listener.ts";
import type { RunResult, TestResult } from "./runner/result.ts";
import { runTests } from "./runner/run.ts";
import { World } from "./runner/world.ts";
import { tests } from "./tests.ts";

function chosen({ only, rfc }: Options): Test[] {
  const patterns = only?.map((text) => new RegExp(pattern(text)));
  const rfcs = rfc?.map((name) => `rfc${name.replace(/\D/g, "")}`);
  const found = tests.filter(
    (test) => (!rfcs || rfcs.includes(test.rfc)) && (!patterns || patterns.some((one) => one.test(test.name))),
  );
  if (found.length > 0) return found;
  const wanted = [...(rfc ?? []).map((name) => `--rfc ${name}`), ...(only ?? []).map((text) => `--only ${text}`)];
  throw new Error(`No test matches ${wanted.join(" ")}; --list shows them all.`);
}

async function openWorld(options: Options): Promise<World> {
  const { url = "", user, password, user2, password2 } = options;
  if (user === undefined || password === undefined) throw new Error("--user and --password are needed.");
  if (user2 !== undefined && password2 === undefined) throw new Error("--user2 needs --password2.");
  const address = options.address ?? (user.includes("@") ? user : undefined);
  if (options.smtp && !address) throw new Error("--smtp needs --address.");
  const timeoutMs = options.timeout * 1000;
  const first = await login(url, user, password, timeoutMs);
  const second = user2 === undefined ? undefined : await login(url, user2, password2 ?? "", timeoutMs);
  const smtp = options.smtp && address ? { ...hostAndPort(options.smtp, "--smtp"), address } : undefined;
  const listener = await listen(options);
  return new World({ first, second, smtp, listener, timeoutMs });
}

async function listen({ pushListener, pushUrl, pushCert, pushKey }: Options): Promise<PushListener | undefined> {
  if (pushListener === undefined) return undefined;
  const { host, port } = hostAndPort(pushListener, "--push-listener");
  const tls =
    pushCert && pushKey ? { cert: readFileSync(pushCert, "utf8"), key: readFileSync(pushKey, "utf8") } : undefined;
  return await PushListener.start(host, port, pushUrl, tls).catch((error: Error) => {
    throw new Error(`--push-listener: ${error.message}`);
  });
}

async function run(options: Options): Promise<RunResult> {
  const { url = "" } = options;
  const wanted = chosen(options);
  const world = await openWorld(options);
  const stop = new AbortController();
  const interrupt = (): void => {
    // A second Ctrl-C skips the clean-up, too.
    if (stop.signal.aborted) process.exit(130);
    console.error("\nStopping and cleaning up. Press Ctrl-C again to leave at once.");
    stop.abort();
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, interrupt);
  const progress = new Progress();
  const started = new Date();
  try {
    const results = await runTests(wanted, world, {
      jobs: options.jobs,
      timeoutMs: options.timeout * 1000,
      signal: stop.signal,
      onResult: (result, done, total) => progress.result(result, done, total),
    });
    const server = options.name ?? new URL(url).host;
    const ms = Date.now() - started.getTime();
    if (stop.signal.aborted) {
      progress.end();
      console.error(`Stopped after ${results.length} of ${wanted.length} tests; only these are counted.`);
      process.exitCode = 130;
    }
    return { format: "jmap-conformance-1", server, url, started: started.toISOString(), ms, results };
  } finally {
    progress.end();
    await world.cleanUp().catch((error) => console.error(`the clean-up failed: ${error}`));
    world.close();
    world.listener?.close();
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.off(signal, interrupt);
  }
}

function readResult(file: string): RunResult {
  const text = readFileSync(file, "utf8");
  try {
    const result = JSON.parse(text) as RunResult;
    if (result.format === "jmap-conformance-1") return result;
  } catch {
    // Reported below.
  }
  throw new Error(`${file} was not written by --json of this suite.`);
}

/** Checks the output paths before the run, so that no results are lost to a wrong path. */
function checkFiles({ json, junit, html, expected }: Options): void {
  for (const file of [json, junit, html]) if (file) accessSync(dirname(file), constants.W_OK);
  if (expected) accessSync(expected, constants.R_OK);
}

/** Prints the outcome; returns whether the run passed. */
function verdict(results: readonly TestResult[], expected: string | undefined): boolean {
  if (expected === undefined) return !results.some(({ outcome, level }) => outcome === "fail" && level === "MUST");
  const { newFailures, unexpectedPasses } = judge(results, readExpected(expected));
  for (const name of newFailures) console.log(`new failure: ${name}`);
  for (const name of unexpectedPasses) console.log(`unexpected pass: ${name}`);
  return newFailures.length === 0 && unexpectedPasses.length === 0;
}

function list(options: Options): void {
  for (const { name, says } of chosen(options)) console.log(`${name}\n    ${says}`);
}

function printCoverage(): void {
  const { text, problems } = coverageReport(tests.map(({ name }) => name));
  console.log(text);
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exitCode = 1;
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (options.list) return list(options);
  if (options.coverage) return printCoverage();
  const others = (options.compare ?? []).map(readResult);
  if (options.url === undefined) {
    if (!options.html || others.length === 0)
      throw new Error("--url is needed, or --html with --compare. --help shows all options.");
    return writeFileSync(options.html, html(others));
  }
  checkFiles(options);
  const result = await run(options);
  console.log(summary(result.results));
  if (options.json) writeFileSync(options.json, `${JSON.stringify(result, null, 1)}\n`);
  if (options.junit) writeFileSync(options.junit, junit(result));
  if (options.html) writeFileSync(options.html, html([result, ...others]));
  if (!verdict(result.results, options.expected)) process.exitCode ||= 1;
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}
