import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { until } from "../../../test/support/ports.ts";
import type { Log } from "../../base/log.ts";
import { Children } from "./children.ts";
import type { Line } from "./line.ts";

const pingEveryMs = 100;

let children: Children;
/** The lines to those that have served, in order. */
let lines: Line[];
let logged: { fields: Record<string, unknown>; event: string }[];

beforeEach(async () => {
  [lines, logged] = [[], []];
  const note = (fields: object, event: string) => void logged.push({ fields: { ...fields }, event });
  const log: Log = { debug: note, info: note, warn: note, error: note };
  children = new Children({
    program: fileURLToPath(new URL("../../../test/support/blocking-child.ts", import.meta.url)),
    ...{ args: [], count: 1, log, pingEveryMs, attend: () => {}, bury: () => {} },
    employ: (line) => {
      lines.push(line);
      return () => {};
    },
  });
  await children.start();
});
afterEach(() => children.stop("stop"));

const events = (event: string) => logged.filter((line) => line.event === event).map(({ fields }) => fields);

test("a child that hangs is killed, and another one serves in its place", async () => {
  lines[0]!.tell("block", 60_000);
  await until("another child", () => lines.length === 2);
  const { pid } = events("a process serves")[0]!;
  expect(events("a process hangs; killing it")).toEqual([{ process: 1, pid, silentMs: 6 * pingEveryMs }]);
  expect(events("a process died; replacing it")).toMatchObject([{ process: 1, pid, signal: "SIGKILL" }]);
});

test("a child that hangs does not keep its parent from stopping", async () => {
  lines[0]!.tell("block", 60_000);
  await sleep(pingEveryMs);
  const begun = performance.now();
  await children.stop("stop");
  expect(performance.now() - begun).toBeLessThan(5_000);
  expect(lines).toHaveLength(1);
});

test("a child that is only busy for a while stays", async () => {
  for (let round = 0; round < 3; round++) {
    lines[0]!.tell("block", 3 * pingEveryMs);
    await sleep(4 * pingEveryMs);
  }
  await sleep(10 * pingEveryMs);
  expect(lines).toHaveLength(1);
  expect(events("a process hangs; killing it")).toEqual([]);
});
