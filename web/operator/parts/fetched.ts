import { type Signal, useSignal } from "@preact/signals";
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

/** Fetches what a screen shows, again when `key` changes, and when the server has news. What is shown stays until there is something newer. */
export function useFetched<T>(load: () => Promise<T>, key: string, { on = "acts", everyMs }: How = {}): Fetched<T> {
  const value = useSignal<{ of: T; key: string } | undefined>(undefined);
  const fault = useSignal("");
  const isLoading = useSignal(true);
  const latestAsk = useRef(0);
  const again = async () => {
    const mine = ++latestAsk.current;
    isLoading.value = true;
    try {
      const of = await load();
      if (mine !== latestAsk.current) return;
      value.value = { of, key };
      fault.value = "";
    } catch (error) {
      // A line that is cut is back soon.
      if (mine === latestAsk.current && !(error instanceof ConnectionLost && value.peek())) {
        fault.value = (error as Error).message;
      }
    } finally {
      if (mine === latestAsk.current) isLoading.value = false;
    }
  };
  const latest = useRef(again);
  latest.current = again;
  useEffect(() => {
    void again();
    const forget = onNews((news) => {
      if (on !== "nothing" && (news.includes("acts") || news.includes(on))) void latest.current();
    });
    const timer = setInterval(() => {
      if (everyMs !== undefined && document.visibilityState === "visible") void latest.current();
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
}

/** A list that grows page by page. `key` stands for what it is narrowed by. */
export function usePages<T extends { id: string }>(
  load: (after: string | undefined) => Promise<ListPage<T>>,
  key: string,
  how: How = {},
): Pages<T> {
  const further: Signal<{ key: string; rows: T[]; next: string | null } | undefined> = useSignal(undefined);
  const isGrowing = useSignal(false);
  const first = useFetched(() => load(undefined), key, how);
  const own = further.value?.key === key ? further.value : undefined;
  const next = own ? own.next : first.value?.next;
  const grow = async () => {
    if (!next || isGrowing.peek()) return;
    isGrowing.value = true;
    try {
      const page = await load(next);
      further.value = { key, rows: [...(own?.rows ?? []), ...page.rows], next: page.next };
    } finally {
      isGrowing.value = false;
    }
  };
  return {
    rows: first.value && distinct([...first.value.rows, ...(own?.rows ?? [])]),
    fault: first.fault,
    isLoading: first.isLoading || isGrowing.value,
    more: next ? () => void grow() : undefined,
    again: async () => {
      further.value = undefined;
      await first.again();
    },
  };
}

/** What is new on the first page may push its last onto the second, which was read before. */
function distinct<T extends { id: string }>(rows: T[]): T[] {
  return [...new Map(rows.map((row) => [row.id, row])).values()];
}
