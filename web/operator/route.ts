import { signal } from "@preact/signals";

export const places = [
  "overview",
  "metrics",
  "queue",
  "trace",
  "accounts",
  "domains",
  "quarantine",
  "suppression",
  "senders",
  "reports",
  "audit",
  "operators",
] as const;
export type PlaceName = (typeof places)[number];

/** Where somebody is, all in the fragment: #/queue/u3_s5, #/trace?for=q12 */
export interface Route {
  place: PlaceName;
  /** What is open there. */
  id: string | undefined;
  /** What the list is narrowed by. */
  filter: Readonly<Record<string, string>>;
}

export function parseRoute(fragment: string): Route {
  const [path = "", query = ""] = fragment.replace(/^#?\/?/, "").split("?");
  const [first = "", id] = path.split("/");
  const place = places.find((name) => name === first) ?? "overview";
  return { place, id: id ? decode(id) : undefined, filter: Object.fromEntries(new URLSearchParams(query)) };
}

/** The link to a place. */
export function href({ place, id, filter = {} }: Partial<Route> & { place: PlaceName }): string {
  const given = Object.entries(filter).filter(([, value]) => value !== "");
  const query = given.length > 0 ? `?${new URLSearchParams(given)}` : "";
  return `#/${place}${id === undefined ? "" : `/${encodeURIComponent(id)}`}${query}`;
}

export const route = signal<Route>(parseRoute(location.hash));
addEventListener("hashchange", () => {
  route.value = parseRoute(location.hash);
});

/** Goes there; with `replace` no step Back is added. */
export function go(to: Partial<Route> & { place: PlaceName }, { replace = false } = {}): void {
  const fragment = href(to);
  if (fragment === location.hash) return;
  if (replace) {
    history.replaceState(null, "", fragment);
    route.value = parseRoute(fragment);
  } else location.hash = fragment;
}

/** How often somebody has asked for a list: also when it is narrowed to the same again, it is to be fetched anew. */
export const asked = signal(0);

/** Narrows the list of the place where one is. */
export function narrow(filter: Record<string, string>): void {
  asked.value++;
  const { place, filter: before } = route.peek();
  go({ place, filter: { ...before, ...filter } }, { replace: true });
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
