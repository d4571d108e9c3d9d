import { signal } from "@preact/signals";
import type { Id } from "../shared/jmap/types.ts";

/** Where somebody is. It is all in the fragment, so that no path of the server's is taken and Back works. */
export interface Route {
  /** Undefined: the login's own. */
  accountId: Id | undefined;
  place:
    | { kind: "mailbox" /** A role or an id. */; key: string }
    | { kind: "search"; query: string }
    | { kind: "settings"; section: string };
  /** The open conversation. */
  threadId: Id | undefined;
  /** In the flat list, or of a search hit: the email to show in it. */
  emailId: Id | undefined;
}

const home: Route = {
  accountId: undefined,
  place: { kind: "mailbox", key: "inbox" },
  threadId: undefined,
  emailId: undefined,
};

/** #/@u2/inbox/t12/e34, #/search/from%3Abob/t12, #/settings/identities */
export function parseRoute(fragment: string): Route {
  const parts = fragment
    .replace(/^#?\/?/, "")
    .split("/")
    .map(decode);
  const accountId = parts[0]?.startsWith("@") ? parts.shift()!.slice(1) : undefined;
  const [first, ...rest] = parts;
  if (!first) return { ...home, accountId };
  if (first === "settings") return { ...home, accountId, place: { kind: "settings", section: rest[0] ?? "" } };
  const isSearch = first === "search";
  const place: Route["place"] = isSearch
    ? { kind: "search", query: rest.shift() ?? "" }
    : { kind: "mailbox", key: first };
  return { accountId, place, threadId: rest[0] || undefined, emailId: rest[1] || undefined };
}

export function formatRoute({ accountId, place, threadId, emailId }: Route): string {
  const parts = accountId === undefined ? [] : [`@${accountId}`];
  if (place.kind === "mailbox") parts.push(place.key);
  else parts.push(place.kind, place.kind === "search" ? place.query : place.section);
  if (threadId !== undefined) parts.push(threadId);
  if (threadId !== undefined && emailId !== undefined) parts.push(emailId);
  return `#/${parts.map(encodeURIComponent).join("/").replaceAll("%40", "@")}`;
}

export const route = signal<Route>(parseRoute(location.hash));

addEventListener("hashchange", () => {
  route.value = parseRoute(location.hash);
});

/** Goes to a place; what is left out stays as it is, but another place has no open conversation. */
export function go(to: Partial<Route>, { replace = false } = {}): void {
  const next = { ...route.peek(), ...(to.place && { threadId: undefined, emailId: undefined }), ...to };
  const fragment = formatRoute(next);
  if (fragment === formatRoute(route.peek())) return;
  if (replace) history.replaceState(history.state, "", fragment);
  else history.pushState({ isOurs: true }, "", fragment);
  route.value = next;
}

/** From a conversation to its list: by Back where that is what Back does, so that the history stays short. */
export function leaveConversation(): void {
  if (route.peek().threadId === undefined) return;
  const { isOurs } = (history.state ?? {}) as { isOurs?: boolean };
  if (isOurs) history.back();
  else go({ threadId: undefined, emailId: undefined }, { replace: true });
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
