import { type Signal, signal } from "@preact/signals";

/** What this browser remembers of how somebody likes the pages. No mail, no secret. */
export interface Prefs {
  theme: "system" | "light" | "dark";
  language: "system" | "en" | "de";
  /** WCAG 2.1.4: single letters as shortcuts can be turned off. */
  singleKeys: boolean;
  conversations: boolean;
  /** Addresses whose remote pictures are shown at once. */
  pictureSenders: string[];
  /** Mails are written as plain text. */
  plainText: boolean;
  /** 0 to send at once. */
  undoSendSeconds: number;
}

const defaults: Prefs = {
  theme: "system",
  language: "system",
  singleKeys: true,
  conversations: true,
  pictureSenders: [],
  plainText: false,
  undoSendSeconds: 10,
};

const storageKey = "posthorn.prefs";

function stored(): Partial<Prefs> {
  try {
    return JSON.parse(localStorage.getItem(storageKey) ?? "{}") as Partial<Prefs>;
  } catch {
    return {};
  }
}

export const prefs: Signal<Prefs> = signal({ ...defaults, ...stored() });

export function setPrefs(changed: Partial<Prefs>): void {
  prefs.value = { ...prefs.peek(), ...changed };
  localStorage.setItem(storageKey, JSON.stringify(prefs.peek()));
}

// Another tab changed them.
addEventListener("storage", ({ key }) => {
  if (key === storageKey) prefs.value = { ...defaults, ...stored() };
});
