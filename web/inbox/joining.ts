import { signal } from "@preact/signals";

const path = /^#\/join(?:\/([\w-]{20,100}))?$/;

/** The fragment leads to the page for a new account: #/join, or with the token of an invitation behind it. */
export const isJoining = signal(path.test(location.hash));

addEventListener("hashchange", () => {
  isJoining.value = path.test(location.hash);
});

/** The token of the invitation. It is in the fragment, which no server gets to see. */
export function invitationToken(): string | undefined {
  return path.exec(location.hash)?.[1];
}

/** Leaves the page, and takes the token out of the address. */
export function endJoining(): void {
  // All that follows the fragment hears of it.
  location.replace("#/");
  isJoining.value = false;
}
