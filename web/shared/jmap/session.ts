import { askAuth, type NextStep } from "../auth.ts";
import { ConnectionLost, RequestRefused, SignedOut } from "./errors.ts";
import type { Session } from "./types.ts";

/** Over plain HTTP, browsers do not say who asks: without it, they would get a challenge, and show a dialog of their own. */
export const asScript = { "X-Requested-With": "posthorn" };

/** Rejects with SignedOut when nobody is signed in, ConnectionLost or RequestRefused. */
export async function fetchSession(): Promise<Session> {
  const response = await fetch("/jmap/session", { headers: asScript }).catch(() => {
    throw new ConnectionLost("the server was not reached");
  });
  if (response.status === 401) throw new SignedOut("nobody is signed in");
  if (response.status >= 500) throw new ConnectionLost(`the server answered ${response.status}`);
  if (!response.ok) throw new RequestRefused(response.status, "about:blank", response.statusText);
  return (await response.json()) as Session;
}

export type SignIn =
  | { is: "in" }
  | { is: "step"; next: NextStep }
  | { is: "wrong" }
  | { is: "app-password" }
  | { is: "throttled" /** 0 if the server does not say. */; seconds: number }
  | { is: "unreachable" };

export interface Credentials {
  username: string;
  password: string;
  /** Stay signed in when the browser closes. */
  stay: boolean;
}

export async function signIn(credentials: Credentials): Promise<SignIn> {
  const answer = await askAuth<NextStep | object>("login", credentials);
  if (answer.is === "unreachable") return answer;
  if (answer.is === "ok") {
    wantToStay(credentials.stay);
    return "step" in answer.value ? { is: "step", next: answer.value } : { is: "in" };
  }
  if (answer.status === 429) return { is: "throttled", seconds: answer.seconds };
  return { is: answer.status === 403 ? "app-password" : "wrong" };
}

/** Whoever stays may read without a line, too. */
export function wantToStay(isStaying: boolean): void {
  if (isStaying) localStorage.setItem("posthorn.stay", "1");
  else localStorage.removeItem("posthorn.stay");
}

/** Ends the session at the server. The answer clears what the browser keeps. */
export async function signOut(): Promise<void> {
  await fetch("/auth/logout", { method: "POST" }).catch(() => {
    throw new ConnectionLost("the server was not reached");
  });
}
