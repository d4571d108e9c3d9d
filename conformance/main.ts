import { readFileSync, writeFileSync } from "node:fs";
import { type Client, connect } from "./client/client.ts";
import { coverageReport } from "./coverage.ts";
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
  return tests.filter(
    (test) => (!rfc || rfc.includes(test.rfc)) && (!patterns || patterns.some((one) => one.test(test.name))),
  );
}

async function login(options: Options, user?: string, password?: string): Promise<Client | undefined> {
  if (user === undefined) return undefined;
  const { url = "", timeout } = options;
  return await connect({ url, user, password: password ?? "", timeoutMs: timeout * 1000 });
}

async function openWorld(options: Options): Promise<World> {
  const first = await login(options, options.user, options.password);
  if (!first) throw new Error("--user and --password are needed");
  const second = await login(options, options.user2, options.password2);
  const address = options.address ?? (options.user?.includes("@") ? options.user : undefined);
  if (options.smtp && !address) throw new Error("--smtp needs --address");
  const smtp = options.smtp && address ? { ...hostAndPort(options.smtp, "--smtp"), address } : undefined;
  const listener = await listen(options);
  return new World({ first, second, smtp, listener, timeoutMs: options.timeout * 1000 });
}

async function listen({ pushListener, pushUrl, pushCert, pushKey }: Options): Promise<PushListener | undefined> {
  if (pushListener === undefined) return undefined;
  const { host, port } = hostAndPort(pushListener, "--push-listener");
  const tls =
    pushCert && pushKey ? { cert: readFileSync(pushCert, "utf8"), key: readFileSync(pushKey, "utf8") } : undefined;
  return await PushListener.start(host, port, pushUrl, tls);
}

async function run(options: Options): Promise<RunResult> {
  const { url = "" } = options;
  const wanted = chosen(options);
  if (wanted.length === 0) throw new Error("no test has such a name");
  const world = await openWorld(options);
  const stop = new AbortController();
  const interrupt = (): void => {
    // A second Ctrl-C gives the cleaning up, too.
    if (stop.signal.aborted) process.exit(130);
    console.error("\nStopping; what was made is removed. Again to leave at once.");
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
    if (stop.signal.aborted) process.exitCode = 130;
    return { format: "jmap-conformance-1", server, url, started: started.toISOString(), ms, results };
  } finally {
    progress.end();
    await world.cleanUp().catch((error) => console.error(`cleaning up failed: ${error}`));
    world.close();
    world.listener?.close();
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.off(signal, interrupt);
  }
}

function readResult(file: string): RunResult {
  const result = JSON.parse(readFileSync(file, "utf8")) as RunResult;
  if (result.format !== "jmap-conformance-1") throw new Error(`${file} is no result file of this suite`);
  return result;
}

/** Says whether the run is good. */
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
    if (!options.html || others.length === 0) throw new Error("--url is needed, or --html with --compare");
    return writeFileSync(options.html, html(others));
  }
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
