import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { ConnectionLost } from "../../shared/jmap/errors.ts";
import type { ListPage } from "../api.ts";
import { type News, onNews } from "../news.ts";
import { asked } from "../route.ts";

export interface Fetched<T> {
  value: T | undefined;
  /** Why there is none, or none newer; "" if all is well. */
  fault: string;
  isLoading: boolean;
  again(): Promise<void>;
}

interface How {
  /** What makes it worth asking again: "mail" that moves, what somebody "acts" on (always, with "mail"), or nothing. (Default: "acts") */
  on?: News | "nothing";
  /** For what nobody tells. */
  everyMs?: number;
}

/** A load that runs, and whether somebody asks for the same meanwhile. */
interface Run {
  key: string;
  isAskedAgain: boolean;
  ended: Promise<void>;
}

/** Fetches what a screen shows, again when `key` changes, and when the server has news. What is shown stays until there is something newer. */
export function useFetched<T>(load: () => Promise<T>, key: string, { on = "acts", everyMs }: How = {}): Fetched<T> {
  const value = useSignal<{ of: T; key: string } | undefined>(undefined);
  const fault = useSignal("");
  const isLoading = useSignal(true);
  /** Undefined while nothing is loaded. */
  const running = useRef<Run | undefined>(undefined);
  const latest = useRef({ load, key });
  latest.current = { load, key };
  const work = async (run: Run, fetchIt: () => Promise<T>) => {
    do {
      run.isAskedAgain = false;
      try {
        const of = await fetchIt();
        if (running.current !== run) return;
        value.value = { of, key: run.key };
        fault.value = "";
      } catch (error) {
        if (running.current !== run) return;
        // A line that is cut is back soon.
        if (!(error instanceof ConnectionLost && value.peek())) fault.value = (error as Error).message;
      }
    } while (run.isAskedAgain);
    running.current = undefined;
    isLoading.value = false;
  };
  /** What is being loaded is shown first: if each news began anew, what takes longer than from one to the next would never come. */
  const again = (): Promise<void> => {
    const now = latest.current;
    if (running.current?.key === now.key) {
      running.current.isAskedAgain = true;
      return running.current.ended;
    }
    const run: Run = { key: now.key, isAskedAgain: false, ended: Promise.resolve() };
    running.current = run;
    isLoading.value = true;
    run.ended = work(run, now.load);
    return run.ended;
  };
  useEffect(() => {
    void again();
    const forget = onNews((news) => {
      if (on !== "nothing" && (news.includes("acts") || news.includes(on))) void again();
    });
    const timer = setInterval(() => {
      if (everyMs !== undefined && document.visibilityState === "visible") void again();
    }, everyMs ?? neverMs);
    return () => {
      forget();
      clearInterval(timer);
    };
  }, [key, asked.value]);
  const current = value.value?.key === key ? value.value.of : undefined;
  return { value: current, fault: fault.value, isLoading: isLoading.value, again };
}

const neverMs = 86_400_000;

export interface Pages<T> extends Omit<Fetched<T[]>, "value"> {
  rows: T[] | undefined;
  /** Undefined after the last page. */
  more: (() => void) | undefined;
  /** A further page is on its way. */
  isGrowing: boolean;
}

/** The first pages of a list, one after the other. */
interface Read<T> extends ListPage<T> {
  pages: number;
}

/** A list that grows page by page; what is shown of it is fetched again as a whole. `key` stands for what it is narrowed by. */
export function usePages<T extends { id: string }>(
  load: (after: string | undefined) => Promise<ListPage<T>>,
  key: string,
  how: How = {},
): Pages<T> {
  const wanted = useSignal({ key, pages: 1 });
  /** What the next load goes on from, instead of beginning at the first page. */
  const known = useRef<Read<T> | undefined>(undefined);
  const pagesWanted = () => (wanted.value.key === key ? wanted.value.pages : 1);
  const loadAll = async () => {
    let read: Read<T> = known.current ?? { rows: [], next: null, pages: 0 };
    known.current = undefined;
    do {
      const page = await load(read.next ?? undefined);
      read = { rows: [...read.rows, ...page.rows], next: page.next, pages: read.pages + 1 };
      // One more may have been asked for meanwhile.
    } while (read.next !== null && read.pages < pagesWanted());
    return read;
  };
  const { value: shown, fault, isLoading, again } = useFetched(loadAll, key, how);
  const hasMore = shown !== undefined && shown.next !== null;
  const grow = () => {
    if (!hasMore) return;
    wanted.value = { key, pages: shown.pages + 1 };
    // A load that runs goes on as far.
    if (isLoading) return;
    known.current = shown;
    void again();
  };
  return {
    rows: shown && distinct(shown.rows),
    fault,
    isLoading,
    isGrowing: isLoading && hasMore && pagesWanted() > shown.pages,
    more: hasMore ? grow : undefined,
    again,
  };
}

/** A row may have moved from one page to the next between the two. */
function distinct<T extends { id: string }>(rows: T[]): T[] {
  return [...new Map(rows.map((row) => [row.id, row])).values()];
}
