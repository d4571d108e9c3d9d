import type { Id } from "../../shared/jmap/types.ts";

/** Where somebody was in a list when they left it. */
interface LeftPlace {
  scrollTop: number;
  cursor: Id | undefined;
}

const maxKept = 20;
const places = new Map<string, LeftPlace>();

/** Keeps the place for when the list, named by its key, is shown again: Back and the end of a search lead to it. */
export function leavePlace(key: string, place: LeftPlace): void {
  places.delete(key);
  places.set(key, place);
  for (const oldest of places.keys()) {
    if (places.size <= maxKept) break;
    places.delete(oldest);
  }
}

export const leftPlace = (key: string): LeftPlace | undefined => places.get(key);
