import { expect, test, vi } from "vitest";
import { ThreadKind, TooSlow } from "./threads.ts";

const tasks = new URL("./answer-tasks.ts", import.meta.url).href;
let count = 0;

/** A kind whose threads run this code on `bytes`, `about` and `ask`; they may start late, which is not what is timed here. */
function kind<About, Result>(code: string, time = 60_000) {
  const text = `import { answerTasks } from "${tasks}"; // ${++count}\nanswerTasks(async (bytes, about, ask) => { ${code} });`;
  return new ThreadKind<About, Result, string>(new URL(`data:text/javascript,${encodeURIComponent(text)}`), time);
}

const none = Buffer.alloc(0);

test("bytes and task go in, the result comes out, and the sender's bytes stay", async () => {
  const bytes = Buffer.from("abc");
  const sum = kind<{ factor: number }, number>("return about.factor * bytes.reduce((a, b) => a + b, 0);");
  expect(await sum.run(bytes, { factor: 2 })).toBe(2 * (97 + 98 + 99));
  expect(bytes.toString()).toBe("abc");
});

test("a thread asks who gave it the task, and hears of failures with their code", async () => {
  const asking = kind<string, string>("return ask(about).catch((error) => error.code + ' ' + error.message);");
  expect(await asking.run(none, "a", { answer: async (question) => `${question}!` })).toBe("a!");
  const answer = () => Promise.reject(Object.assign(new Error("no such name"), { code: "ENOTFOUND" }));
  expect(await asking.run(none, "a", { answer })).toBe("ENOTFOUND no such name");
});

test("what fails in a thread fails here, and the next task runs in the same one", async () => {
  const failing = kind<boolean, number>(
    "globalThis.n = (globalThis.n ?? 0) + 1; if (about) throw new Error('bad'); return n;",
  );
  await expect(failing.run(none, true)).rejects.toThrow("bad");
  expect(await failing.run(none, false)).toBe(2);
});

test("a thread that ends fails its task, and another takes the next", async () => {
  const dying = kind<boolean, string>("if (about) process.exit(); return 'well';");
  await expect(dying.run(none, true)).rejects.toThrow("the thread ended");
  expect(await dying.run(none, false)).toBe("well");
});

test("a task that takes too long is ended, even in a loop without end, and holds up no other", async () => {
  const endless = kind<boolean, string>("while (about); return 'well';");
  await endless.run(none, false);
  await expect(endless.run(none, true, { time: 100 })).rejects.toThrow(TooSlow);
  expect(await endless.run(none, false)).toBe("well");
});

test("one kind has two threads at most, and leaves one to the others", async () => {
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

test("however many kinds there are, three work at once", async () => {
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
