import { ConnectionLost, MethodFailed, RequestRefused, SignedOut } from "./errors.ts";
import type { MethodName, Methods, ResultReference } from "./methods.ts";
import type { Session } from "./types.ts";

/** A call that was made; `ref` points into its result, for calls of the same tick. */
export type Call<R> = Promise<R> & { ref(path: string): ResultReference };

interface Pending {
  name: MethodName;
  args: object;
  resolve(result: never): void;
  reject(error: Error): void;
}

/** The server takes 8 a login, over all tabs and devices. */
const maxUnderWay = 3;
const maxRetries = 6;

interface Options {
  session: Session;
  /** Called when the server no longer knows the session. */
  onSignedOut(): void;
  /** Called with the session's state of each answer. */
  onSessionState?(state: string): void;
}

/** Sends JMAP calls. Those of one tick go in one request, in order, so that results can be referred to. */
export class Jmap {
  readonly session: Session;
  readonly #apiUrl: string;
  readonly #using: string[];
  readonly #maxCalls: number;
  readonly #options: Options;
  #tick: Pending[] = [];
  #underWay = 0;
  readonly #queue: (() => void)[] = [];

  constructor(options: Options) {
    this.#options = options;
    this.session = options.session;
    this.#apiUrl = ownUrl(options.session.apiUrl);
    this.#using = Object.keys(options.session.capabilities);
    this.#maxCalls = Number(options.session.capabilities["urn:ietf:params:jmap:core"]?.maxCallsInRequest ?? 16);
  }

  /**
   * Rejects with ConnectionLost, SignedOut, RequestRefused or MethodFailed. A reference may name any earlier call of the same tick.
   */
  call<M extends MethodName>(name: M, args: Methods[M][0]): Call<Methods[M][1]> {
    const id = String(this.#tick.length);
    const promise = new Promise<Methods[M][1]>((resolve, reject) => {
      this.#tick.push({ name, args, resolve, reject });
    });
    if (this.#tick.length === 1) queueMicrotask(() => this.#flush());
    return Object.assign(promise, { ref: (path: string) => ({ resultOf: id, name, path }) });
  }

  #flush(): void {
    const calls = this.#tick;
    this.#tick = [];
    // References between the parts fail; a tick makes far fewer calls than servers take.
    for (let from = 0; from < calls.length; from += this.#maxCalls)
      void this.#send(calls.slice(from, from + this.#maxCalls), from);
  }

  async #send(calls: Pending[], from: number): Promise<void> {
    try {
      const answers = await this.#post(calls.map(({ name, args }, at) => [name, args, String(from + at)]));
      for (const [at, call] of calls.entries()) settle(call, answers.get(String(from + at)));
    } catch (error) {
      for (const call of calls) call.reject(error as Error);
    }
  }

  async #post(methodCalls: unknown[]): Promise<Map<string, [name: string, result: unknown]>> {
    const body = JSON.stringify({ using: this.#using, methodCalls });
    const response = await this.#inTurn(() => this.#fetchPatiently(body));
    const { methodResponses, sessionState } = (await response.json().catch(() => {
      throw new ConnectionLost("the answer broke off");
    })) as { methodResponses: [string, unknown, string][]; sessionState: string };
    this.#options.onSessionState?.(sessionState);
    // A call may have further answers (onSuccessUpdateEmail): the first is its own.
    const answers = new Map<string, [string, unknown]>();
    for (const [name, result, id] of methodResponses) if (!answers.has(id)) answers.set(id, [name, result]);
    return answers;
  }

  /** A request that came too often waits and goes again. */
  async #fetchPatiently(body: string): Promise<Response> {
    for (let tries = 0; ; tries++) {
      const response = await fetch(this.#apiUrl, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body,
      }).catch(() => {
        throw new ConnectionLost("the server was not reached");
      });
      if (response.ok) return response;
      if (response.status === 401) {
        this.#options.onSignedOut();
        throw new SignedOut("signed out");
      }
      const isBusy = response.status === 429 || response.status === 503;
      if (!isBusy || tries >= maxRetries) throw await refusal(response);
      await new Promise((resolve) => setTimeout(resolve, pauseMs(response, tries)));
    }
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#underWay >= maxUnderWay) await new Promise<void>((resolve) => this.#queue.push(resolve));
    this.#underWay++;
    try {
      return await work();
    } finally {
      this.#underWay--;
      this.#queue.shift()?.();
    }
  }
}

function settle({ name, resolve, reject }: Pending, answer: [string, unknown] | undefined): void {
  if (answer === undefined) reject(new MethodFailed("serverFail", `no answer to ${name}`));
  else if (answer[0] === "error") {
    const { type, description } = answer[1] as { type: string; description?: string };
    reject(new MethodFailed(type, description ?? type));
  } else resolve(answer[1] as never);
}

/** What the server asks for, or else twice as long each time. */
function pauseMs(response: Response, tries: number): number {
  const asked = Number(response.headers.get("Retry-After")) * 1000;
  return asked > 0 ? Math.min(asked, 30_000) : 250 * 2 ** tries * (1 + Math.random() / 2);
}

async function refusal(response: Response): Promise<Error> {
  if (response.status >= 502) return new ConnectionLost(`the server answered ${response.status}`);
  const problem = (await response.json().catch(() => ({}))) as { type?: string; detail?: string };
  return new RequestRefused(response.status, problem.type ?? "about:blank", problem.detail ?? response.statusText);
}

/** Path and query of a URL of the session: a proxy may have hidden the scheme from the server, and the page's own origin is right. */
export function ownUrl(url: string): string {
  return url.replace(/^[a-z]+:\/\/[^/]+/i, "");
}
