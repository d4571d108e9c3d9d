import { effect, signal } from "@preact/signals";
import { phase, whoIsThere } from "./session.ts";

/** What may be otherwise now: mail on its way, or what somebody has changed. */
export type News = "mail" | "acts";

const path = "/jmap/operator/news";
const againMs = 5_000;
const listeners = new Set<(news: readonly News[]) => void>();
let source: EventSource | undefined;
let timer: ReturnType<typeof setTimeout> | undefined;

/** Whether changes are heard of at once. */
export const isLive = signal(false);

export function onNews(listener: (news: readonly News[]) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function tell(news: readonly News[]): void {
  for (const listener of listeners) listener(news);
}

/** Only while somebody looks: a browser has six connections to a server, and each tab would keep one. */
function open({ isAgain }: { isAgain: boolean }): void {
  close();
  const own = new EventSource(path);
  let hasMissed = isAgain;
  source = own;
  own.addEventListener("open", () => {
    isLive.value = true;
    if (hasMissed) tell(["mail", "acts"]);
    hasMissed = true;
  });
  own.addEventListener("changed", ({ data }) => tell(JSON.parse(data as string) as News[]));
  own.addEventListener("error", () => {
    isLive.value = false;
    if (own.readyState !== EventSource.CLOSED) return;
    // It was refused: perhaps nobody is signed in any more.
    void whoIsThere();
    timer = setTimeout(() => open({ isAgain: true }), againMs);
  });
}

function close(): void {
  clearTimeout(timer);
  source?.close();
  source = undefined;
  isLive.value = false;
}

/** Listens from now on, whenever somebody is signed in and looks. */
export function listen(): void {
  const follow = (isAgain: boolean) => {
    if (phase.peek() === "ready" && document.visibilityState === "visible") open({ isAgain });
    else close();
  };
  effect(() => {
    phase.value;
    follow(false);
  });
  document.addEventListener("visibilitychange", () => follow(true));
}
