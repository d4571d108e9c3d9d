import { expect, test, vi } from "vitest";
import { ThreadKind, TooSlow } from "./threads.ts";

const tasks = new URL("./answer-tasks.ts", import.meta.url).href;
let count = 0;

/** A kind whose threads run this code on `bytes`, `about` and `ask`. The time to start a thread is not under test. */
function kind<About, Result>(code: string, time = 60_000) {
  const text = `import { answerTasks } from "${tasks}"; // ${++count}\nanswerTasks(async (bytes, about, ask) => { ${code} });`;
  return new ThreadKind<About, Result, string>(new URL(`data:text/javascript,${encodeURIComponent(text)}`), time);
}

const none = Buffer.alloc(0);

test("a thread gets bytes and parameters and returns the result, and the sender keeps its bytes", async () => {
  const bytes = Buffer.from("abc");
  const sum = kind<{ factor: number }, number>("return about.factor * bytes.reduce((a, b) => a + b, 0);");
  expect(await sum.run(bytes, { factor: 2 })).toBe(2 * (97 + 98 + 99));
  expect(bytes.toString()).toBe("abc");
});

test("a thread can ask the sender of its task, and receives failures with their code", async () => {
  const asking = kind<string, string>("return ask(about).catch((error) => error.code + ' ' + error.message);");
  expect(await asking.run(none, "a", { answer: async (question) => `${question}!` })).toBe("a!");
  const answer = () => Promise.reject(Object.assign(new Error("no such name"), { code: "ENOTFOUND" }));
  expect(await asking.run(none, "a", { answer })).toBe("ENOTFOUND no such name");
});

test("an error in a thread rejects its task, and the next task runs in the same thread", async () => {
  const failing = kind<boolean, number>(
    "globalThis.n = (globalThis.n ?? 0) + 1; if (about) throw new Error('bad'); return n;",
  );
  await expect(failing.run(none, true)).rejects.toThrow("bad");
  expect(await failing.run(none, false)).toBe(2);
});

test("the end of a thread rejects its task, and another thread runs the next", async () => {
  const dying = kind<boolean, string>("if (about) process.exit(); return 'well';");
  await expect(dying.run(none, true)).rejects.toThrow("the thread ended");
  expect(await dying.run(none, false)).toBe("well");
});

test("a task that takes too long is terminated, even in an endless loop, and does not delay others", async () => {
  const endless = kind<boolean, string>("while (about); return 'well';");
  await endless.run(none, false);
  await expect(endless.run(none, true, { timeMs: 100 })).rejects.toThrow(TooSlow);
  expect(await endless.run(none, false)).toBe("well");
});

test("one kind uses at most two threads, and leaves one to the others", async () => {
  const free = Promise.withResolvers<void>();
  const asked: string[] = [];
  const answer = async (question: string) => {
    asked.push(question);
    await free.promise;
  };
  const slow = kind<string, void>("await ask(about);");
  const waiting = ["a", "b", "c", "d"].map((about) => slow.run(none, about, { answer }));
  await vi.waitFor(() => expect(asked).toHaveLength(2), { timeout: 30_000 });
  const other = kind<undefined, string>("return 'done';");
  expect(await other.run(none, undefined)).toBe("done");
  expect(asked).toHaveLength(2);
  free.resolve();
  await Promise.all(waiting);
  expect(asked.sort()).toEqual(["a", "b", "c", "d"]);
});

test("at most three threads work at once, however many kinds there are", async () => {
  const free = Promise.withResolvers<void>();
  let working = 0;
  let mostWorking = 0;
  const answer = async () => {
    mostWorking = Math.max(mostWorking, ++working);
    await free.promise;
    working--;
  };
  const kinds = Array.from({ length: 5 }, () => kind<undefined, void>("await ask('');"));
  const all = kinds.map((one) => one.run(none, undefined, { answer }));
  await vi.waitFor(() => expect(working).toBe(3), { timeout: 30_000 });
  free.resolve();
  await Promise.all(all);
  expect(mostWorking).toBe(3);
});
