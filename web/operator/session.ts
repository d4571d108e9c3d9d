import { computed, signal } from "@preact/signals";
import { Jmap } from "../shared/jmap/client.ts";
import { SignedOut } from "../shared/jmap/errors.ts";
import { fetchSession, signOut } from "../shared/jmap/session.ts";

export const operatorCapability = "https://posthorn.example/jmap/operator";

/** What the session says of whoever is signed in. */
export interface Me {
  login: string;
  role: "admin" | "domain-admin" | "read-only";
  /** Null for all. */
  domains: string[] | null;
}

export const phase = signal<"starting" | "ready" | "signed-out" | "unreachable">("starting");
/** The session ended by itself. */
export const wasSignedOut = signal(false);
const client = signal<Jmap | undefined>(undefined);
const self = signal<Me | undefined>(undefined);

export const me = computed<Me>(() => {
  if (!self.value) throw new Error("nobody is signed in");
  return self.value;
});
export const mayChange = computed(() => me.value.role !== "read-only");
export const isForAll = computed(() => me.value.domains === null);

export function jmap(): Jmap {
  const current = client.peek();
  if (!current) throw new SignedOut("nobody is signed in");
  return current;
}

/** Signs in by the cookie, if there is one. */
export async function begin(): Promise<void> {
  try {
    const session = await fetchSession();
    self.value = session.capabilities[operatorCapability] as unknown as Me;
    client.value = new Jmap({ session, onSignedOut: end });
    wasSignedOut.value = false;
    phase.value = "ready";
  } catch (error) {
    phase.value = error instanceof SignedOut ? "signed-out" : "unreachable";
  }
}

/** Asks the server whether the sign-in still counts; if not, it is over here too. */
export async function whoIsThere(): Promise<void> {
  try {
    await fetchSession();
  } catch (error) {
    if (error instanceof SignedOut) end();
  }
}

function end(): void {
  if (!client.peek()) return;
  client.value = undefined;
  wasSignedOut.value = true;
  phase.value = "signed-out";
}

export async function leave(): Promise<void> {
  await signOut();
  client.value = undefined;
  phase.value = "signed-out";
}
