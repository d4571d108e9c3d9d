import type { ComponentChildren, RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

/** Browsers cannot lay out more. A longer list scrolls in larger steps. */
const maxHeight = 17_000_000;
/** Rows beyond the edges, so that none is blank while it comes into view. */
const overscan = 6;
/** Never more rows in the page. */
const maxRows = 80;

export interface VirtualListHandle {
  /** Scrolls as little as needed to show a row. */
  reveal(row: number): void;
  readonly element: HTMLElement | null;
}

interface Props {
  length: number;
  /** All rows have it, in CSS pixels. */
  rowHeight: number;
  /** Changes whenever rows have come, gone or moved. */
  version: number;
  /** What a row is, if it is known: the one on top stays where it is when others come or go. */
  keyAt(row: number): string | undefined;
  rowOf(key: string): number;
  /** A `li` of exactly the row's height. */
  render(row: number): ComponentChildren;
  onShow(from: number, to: number): void;
  label: string;
  handle: RefObject<VirtualListHandle | null>;
  id?: string;
}

/** A list of rows of one height, of which only those in view are in the page. */
export function VirtualList({ length, rowHeight, version, keyAt, rowOf, render, onShow, label, handle, id }: Props) {
  const scroller = useRef<HTMLDivElement>(null);
  const anchor = useRef<{ key: string; row: number; rowHeight: number } | undefined>(undefined);
  const [shown, setShown] = useState<[from: number, to: number]>([0, 0]);
  const full = length * rowHeight;
  const height = Math.min(full, maxHeight);

  /** Pixels of the whole list above the view. */
  const topOf = (element: HTMLElement) => {
    const hidden = height - element.clientHeight;
    return height === full || hidden <= 0
      ? element.scrollTop
      : (element.scrollTop / hidden) * (full - element.clientHeight);
  };
  const scrollTo = (element: HTMLElement, top: number) => {
    const hidden = full - element.clientHeight;
    element.scrollTop = height === full || hidden <= 0 ? top : (top / hidden) * (height - element.clientHeight);
  };
  const look = () => {
    const element = scroller.current;
    if (!element) return;
    const top = topOf(element);
    const first = Math.floor(top / rowHeight);
    const last = Math.ceil((top + element.clientHeight) / rowHeight);
    const from = Math.max(0, first - overscan);
    const to = Math.min(length, last + overscan, from + maxRows);
    const key = top > 1 ? keyAt(first) : undefined;
    anchor.current = key === undefined ? undefined : { key, row: first, rowHeight };
    setShown((before) => (before[0] === from && before[1] === to && height === full ? before : [from, to]));
    onShow(first, Math.min(length, last));
  };

  useLayoutEffect(() => {
    const element = scroller.current;
    const before = anchor.current;
    const row = before ? rowOf(before.key) : -1;
    if (element && before && before.rowHeight !== rowHeight) scrollTo(element, before.row * rowHeight);
    // By as much as the rows above became more or fewer: somebody may be scrolling just now.
    if (element && before && row >= 0 && row !== before.row) {
      scrollTo(element, topOf(element) + (row - before.row) * rowHeight);
    }
    look();
  }, [version, length, rowHeight]);

  useEffect(() => {
    const observer = new ResizeObserver(() => latest.current());
    observer.observe(scroller.current!);
    return () => observer.disconnect();
  }, []);
  // The observer outlives the render that made it.
  const latest = useRef(look);
  latest.current = look;

  handle.current = {
    get element() {
      return scroller.current;
    },
    reveal: (row) => {
      const element = scroller.current;
      if (!element) return;
      const top = topOf(element);
      if (row * rowHeight < top) scrollTo(element, row * rowHeight);
      else if ((row + 1) * rowHeight > top + element.clientHeight)
        scrollTo(element, (row + 1) * rowHeight - element.clientHeight);
      look();
    },
  };

  const [from, to] = shown;
  const rows: ComponentChildren[] = [];
  // Where the rows lie in a list that scrolls in larger steps: around what is in view.
  const shift = scroller.current && height !== full ? scroller.current.scrollTop - topOf(scroller.current) : 0;
  for (let row = from; row < Math.min(to, length); row++) rows.push(render(row));
  return (
    <div class="virtual" ref={scroller} onScroll={look} id={id} tabIndex={-1}>
      <div class="virtual-space" style={{ height: `${height}px` }}>
        <ul aria-label={label} style={{ transform: `translateY(${from * rowHeight + shift}px)` }}>
          {rows}
        </ul>
      </div>
    </div>
  );
}
