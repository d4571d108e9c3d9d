import { core } from "../client/types.ts";
import { TestContext } from "./context.ts";
import type { Need, Test } from "./define.ts";
import { Skipped, Unmet } from "./expect.ts";
import type { TestResult } from "./result.ts";
import type { World } from "./world.ts";

export type RunOptions = {
  jobs: number;
  timeoutMs: number;
  /** After it is aborted, no test begins; those under way are ended and cleaned up. */
  signal: AbortSignal;
  onResult: (result: TestResult, done: number, total: number) => void;
  onStart?: (test: Test) => void;
};

/** Runs the tests that may run side by side first, then the exclusive ones one by one. */
export async function runTests(tests: readonly Test[], world: World, options: RunOptions): Promise<TestResult[]> {
  const results: TestResult[] = [];
  const work = async (queue: Test[]): Promise<void> => {
    for (;;) {
      const test = options.signal.aborted ? undefined : queue.shift();
      if (!test) return;
      options.onStart?.(test);
      const result = await runTest(test, world, options);
      results.push(result);
      options.onResult(result, results.length, tests.length);
    }
  };
  // Slow tests begin first, so that the run does not end waiting for one.
  const shared = tests
    .filter(({ exclusive }) => !exclusive)
    .toSorted((a, b) => (b.timeoutMs ?? 0) - (a.timeoutMs ?? 0));
  const jobs = Math.max(1, Math.min(options.jobs, concurrency(world)));
  await Promise.all(Array.from({ length: jobs }, () => work(shared)));
  await work(tests.filter(({ exclusive }) => exclusive));
  return results;
}

/** The most tests at once: the server may refuse more concurrent requests or uploads than it states, and most tests upload. */
function concurrency(world: World): number {
  const limits = world.first.session.capabilities[core];
  const given = [limits?.maxConcurrentRequests, limits?.maxConcurrentUpload].map(Number).filter((limit) => limit > 0);
  return given.length > 0 ? Math.min(...given) : 4;
}

async function runTest(test: Test, world: World, options: RunOptions): Promise<TestResult> {
  const { name, rfc, section, level, says } = test;
  const about = { name, rfc, section, level, says };
  const lacking = missing(test, world);
  if (lacking !== undefined) return { ...about, outcome: "skip", ms: 0, message: lacking };
  const context = new TestContext(world);
  const start = performance.now();
  let failure: unknown;
  try {
    await within(Promise.resolve(test.run(context)), test.timeoutMs ?? options.timeoutMs, options.signal);
  } catch (error) {
    failure = error;
  }
  const ms = Math.round(performance.now() - start);
  // Before the clean-up, which the report need not show.
  const exchanges = [...context.recorder.exchanges];
  await within(context.end(), 30_000, undefined).catch(() => {});
  if (failure === undefined) return { ...about, outcome: "pass", ms };
  if (failure instanceof Skipped) return { ...about, outcome: "skip", ms, message: failure.message };
  return { ...about, outcome: "fail", ms, message: explain(failure), exchanges };
}

function explain(failure: unknown): string {
  if (failure instanceof Unmet) return failure.message;
  if (!(failure instanceof Error)) return String(failure);
  // The suite itself failed, most likely on an answer of an unexpected shape: only then is the place in the code of use.
  const own = failure instanceof TypeError || failure instanceof ReferenceError || failure instanceof RangeError;
  if (own) return `the answer could not be understood: ${failure.stack}`;
  if ("code" in failure && failure.code === "ECONNRESET") return "the server closed the connection without an answer";
  if (failure instanceof SyntaxError) return `the answer is no JSON: ${failure.message}`;
  return failure.message;
}

function missing({ requires, needs }: Test, { first, second, smtp, listener }: World): string | undefined {
  const { capabilities, accounts } = first.session;
  const own = accounts[first.accountId]?.accountCapabilities ?? {};
  for (const capability of requires) {
    if (!(capability in capabilities)) return `the server does not advertise ${capability}`;
    // Core and WebSocket belong to the session and need not be in an account.
    const everywhere = capability === core || capability.endsWith(":websocket") || capability.endsWith("-vapid");
    if (!everywhere && !(capability in own)) return `the account does not advertise ${capability}`;
  }
  const given: Record<Need, unknown> = { user2: second, smtp, "push-listener": listener };
  const lacking = needs.find((need) => !given[need]);
  return lacking && `not given: ${lacking}`;
}

async function within<T>(work: Promise<T>, timeoutMs: number, signal: AbortSignal | undefined): Promise<T> {
  let stop: (() => void) | undefined;
  let timer: NodeJS.Timeout | undefined;
  try {
    return await Promise.race([
      work,
      new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Unmet(`not done in ${timeoutMs} ms`)), timeoutMs);
        stop = () => reject(new Skipped("the run was stopped"));
        signal?.addEventListener("abort", stop);
      }),
    ]);
  } finally {
    clearTimeout(timer);
    if (stop) signal?.removeEventListener("abort", stop);
    work.catch(() => {});
  }
}
