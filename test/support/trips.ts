import pg from "pg";

/** Connections whose transaction only reads: nobody waits for its COMMIT. */
const reading = new WeakSet<pg.Client>();
const unanswered = new WeakMap<pg.Client, number>();
let trips: string[][] = [];

/** A trip begins with a statement sent on a connection without unanswered ones; statements sent before the answer join it. */
function note(client: pg.Client, text: string): void {
  if (/^BEGIN/.test(text)) reading[/READ ONLY/.test(text) ? "add" : "delete"](client);
  if (text === "COMMIT" && reading.has(client)) return;
  if ((unanswered.get(client) ?? 0) === 0) trips.push([]);
  trips.at(-1)!.push(text);
}

const query = pg.Client.prototype.query as (...args: unknown[]) => unknown;
pg.Client.prototype.query = function (this: pg.Client, ...args: unknown[]) {
  const [first] = args as [string | { text: string }];
  note(this, typeof first === "string" ? first : first.text);
  const add = (more: number) => unanswered.set(this, (unanswered.get(this) ?? 0) + more);
  add(1);
  const done = () => add(-1);
  const last = args.at(-1);
  if (typeof last === "function") {
    return query.apply(this, [
      ...args.slice(0, -1),
      (...results: unknown[]) => {
        done();
        last(...results);
      },
    ]);
  }
  const answer = query.apply(this, args) as Promise<unknown>;
  answer.then(done, done);
  return answer;
} as never;

/** The trips to Postgres that this process makes for `work`: the statements of each. */
export async function tripsOf(work: () => Promise<unknown>): Promise<string[][]> {
  trips = [];
  await work();
  return trips;
}
