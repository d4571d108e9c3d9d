import { go, type Route, route } from "../route.ts";

/** Where somebody was before they searched. */
let before: Route | undefined;

export function startSearch(query: string): void {
  const here = route.peek();
  if (here.place.kind !== "search") before = here;
  go({ place: { kind: "search", query } });
}

/** Back to where the search began. */
export function leaveSearch(): void {
  if (route.peek().place.kind !== "search") return;
  go(before ?? { place: { kind: "mailbox", key: "inbox" } });
  before = undefined;
}
