import type { MethodRan } from "../base/events.ts";
import type { MethodError } from "./errors.ts";
import type { Method, MethodResult } from "./method.ts";
import type { Invocation } from "./references.ts";

/** A call whose method has started. */
export interface Begun {
  method: Method;
  callId: string;
  /** As `performance.now()` counts. */
  begunAt: number;
}

/** The responses of calls and the time each took. Those of a transaction are added once it has committed. */
export class Answers {
  readonly responses: Invocation[] = [];
  readonly ran: MethodRan[] = [];

  succeeded(call: Begun, { response }: MethodResult): void {
    this.responses.push([call.method.name, response as Record<string, unknown>, call.callId]);
    this.#note(call, "ok");
  }

  failed(error: MethodError, [, , callId]: Invocation, call: Begun | undefined): void {
    this.responses.push(["error", error.toJSON() as Record<string, unknown>, callId]);
    if (call) this.#note(call, error.type);
  }

  add({ responses, ran }: Answers): void {
    this.responses.push(...responses);
    this.ran.push(...ran);
  }

  #note({ method, begunAt }: Begun, outcome: string): void {
    this.ran.push({ method: method.name, outcome, seconds: (performance.now() - begunAt) / 1000 });
  }
}
