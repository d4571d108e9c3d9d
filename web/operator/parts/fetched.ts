import { type Signal, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { ConnectionLost } from "../../shared/jmap/errors.ts";
import type { ListPage } from "../api.ts";

export interface Fetched<T> {
  value: T | undefined;
  /** Why there is none, or none newer; "" if all is well. */
  fault: string;
  isLoading: boolean;
  again(): Promise<void>;
}

/** Fetches what a screen shows, again when `key` changes, and every so often. What is shown stays until there is something newer. */
export function useFetched<T>(load: () => Promise<T>, key: string, { everyMs }: { everyMs?: number } = {}): Fetched<T> {
  const value = useSignal<{ of: T; key: string } | undefined>(undefined);
  const fault = useSignal("");
  const isLoading = useSignal(true);
  const asked = useRef(0);
  const again = async () => {
    const mine = ++asked.current;
    isLoading.value = true;
    try {
      const of = await load();
      if (mine !== asked.current) return;
      value.value = { of, key };
      fault.value = "";
    } catch (error) {
      // A line that is cut is back soon.
      if (mine === asked.current && !(error instanceof ConnectionLost && value.peek())) {
        fault.value = (error as Error).message;
      }
    } finally {
      if (mine === asked.current) isLoading.value = false;
    }
  };
  useEffect(() => {
    void again();
    if (everyMs === undefined) return;
    const timer = setInterval(() => {
      if (document.visibilityState === "visible") void again();
    }, everyMs);
    return () => clearInterval(timer);
  }, [key]);
  const current = value.value?.key === key ? value.value.of : undefined;
  return { value: current, fault: fault.value, isLoading: isLoading.value, again };
}

export interface Pages<T> extends Omit<Fetched<T[]>, "value"> {
  rows: T[] | undefined;
  /** Undefined after the last page. */
  more: (() => void) | undefined;
}

/** A list that grows page by page. `key` stands for what it is narrowed by. */
export function usePages<T>(load: (after: string | undefined) => Promise<ListPage<T>>, key: string): Pages<T> {
  const further: Signal<{ key: string; rows: T[]; next: string | null } | undefined> = useSignal(undefined);
  const isGrowing = useSignal(false);
  const first = useFetched(() => load(undefined), key);
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
    rows: first.value && [...first.value.rows, ...(own?.rows ?? [])],
    fault: first.fault,
    isLoading: first.isLoading || isGrowing.value,
    more: next ? () => void grow() : undefined,
    again: async () => {
      further.value = undefined;
      await first.again();
    },
  };
}
