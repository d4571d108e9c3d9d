/** How late a timer may fire before this process itself is taken for the one that kept the answer waiting. */
const maxLateMs = 100;

/** Rejects when the answer takes longer, unless this process was too busy to hear it: then it has as long again. */
export function inTime<T>(answer: Promise<T>, maxMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout;
    const wait = () => {
      const due = performance.now() + maxMs;
      timer = setTimeout(() => {
        if (performance.now() - due > maxLateMs) wait();
        else reject(new Error(`no answer within ${maxMs} ms`));
      }, maxMs);
    };
    wait();
    answer.finally(() => clearTimeout(timer)).then(resolve, reject);
  });
}
