import { parentPort } from "node:worker_threads";

export type ToThread =
  | { kind: "task"; bytes: Uint8Array; about: unknown }
  | { kind: "answer"; id: number; answer?: unknown; error?: { message: string; code: string | undefined } };
export type FromThread =
  | { kind: "question"; id: number; question: unknown }
  | { kind: "done"; result: unknown }
  | { kind: "failed"; message: string };

/** Asks the thread that gave the task. */
export type Ask<Question> = (question: Question) => Promise<unknown>;

/** Called in a worker thread of `ThreadKind`: runs `work` on each task and sends back the result. */
export function answerTasks<About, Result, Question = never>(
  work: (bytes: Buffer, about: About, ask: Ask<Question>) => Result | Promise<Result>,
): void {
  const port = parentPort!;
  const say = (told: FromThread) => port.postMessage(told);
  const asked = new Map<number, { resolve: (answer: unknown) => void; reject: (error: Error) => void }>();
  let count = 0;
  const ask: Ask<Question> = (question) =>
    new Promise((resolve, reject) => {
      const id = ++count;
      asked.set(id, { resolve, reject });
      say({ kind: "question", id, question });
    });
  const answered = ({ id, answer, error }: ToThread & { kind: "answer" }) => {
    const { resolve, reject } = asked.get(id)!;
    asked.delete(id);
    if (error) reject(Object.assign(new Error(error.message), { code: error.code }));
    else resolve(answer);
  };
  const run = async ({ bytes, about }: ToThread & { kind: "task" }) => {
    try {
      say({ kind: "done", result: await work(Buffer.from(bytes.buffer), about as About, ask) });
    } catch (error) {
      say({ kind: "failed", message: error instanceof Error ? error.message : String(error) });
    }
  };
  port.on("message", (told: ToThread) => {
    if (told.kind === "answer") answered(told);
    else void run(told);
  });
}
