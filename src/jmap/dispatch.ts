import type { Login } from "../auth/login.ts";
import { decodeId, idPrefix } from "../base/ids.ts";
import { traced } from "../base/traces.ts";
import { AccountMissing, CommitError, Unreachable } from "../store/core/errors.ts";
import { isRetryable } from "../store/core/loss.ts";
import { isStorageTrouble, tellStorageTrouble } from "../store/core/storage-trouble.ts";
import type { Reader, Tx } from "../store/core/store.ts";
import { Answers, type Begun } from "./answers.ts";
import { MethodError } from "./errors.ts";
import type { Call, MethodResult, ReadCall, Services, WriteCall } from "./method.ts";
import { missingCapability } from "./missing-capability.ts";
import { type Octets, weigh } from "./octets.ts";
import { type Budget, type Invocation, resolveReferences } from "./references.ts";
import type { Registered, Registry } from "./registry.ts";
import { describe } from "./schema.ts";
import { checkScope } from "./scopes.ts";

export interface DispatchRequest {
  login: Login;
  using: ReadonlySet<string>;
  /** The User-Agent of the client. */
  agent?: string | undefined;
  /** Runs calls even if their capability is not in `using`. */
  relaxedUsing?: boolean;
  calls: readonly Invocation[];
  createdIds: Readonly<Record<string, string>>;
  octets: Octets;
}

export interface DispatchResult {
  responses: Invocation[];
  createdIds: Record<string, string>;
}

/** RFC 8620 §3.3: runs the calls in order. A call that fails is answered by an error, and the next call runs. */
export async function dispatch(
  registry: Registry,
  services: Services,
  request: DispatchRequest,
): Promise<DispatchResult> {
  const run = new Run(registry, services, request);
  for (let next = 0; next < request.calls.length; ) next = await run.step(next);
  for (const event of run.answers.ran) services.events.methodRan(event);
  return { responses: run.answers.responses, createdIds: Object.fromEntries(run.createdIds) };
}

/** A call whose arguments are resolved and checked. */
interface ReadyCall extends Begun {
  args: Record<string, unknown>;
  call: CallContext;
}

class CallContext implements Call {
  readonly services: Services;
  readonly login: Login;
  readonly using: ReadonlySet<string>;
  readonly account: string;
  readonly octets: Octets;
  accountId = 0;
  readonly #createdIds: readonly ReadonlyMap<string, string>[];

  constructor(run: Run, account: string, createdIds: readonly ReadonlyMap<string, string>[]) {
    this.services = run.services;
    this.login = run.request.login;
    this.using = run.request.relaxedUsing ? run.registry.capabilities : run.request.using;
    this.account = account;
    this.octets = run.request.octets;
    this.#createdIds = createdIds;
  }

  readonly createdId = (creationId: string): string | undefined => {
    for (const map of this.#createdIds) {
      const id = map.get(creationId);
      if (id !== undefined) return id;
    }
    return undefined;
  };

  readonly openAccount: Call["openAccount"] = (account, mode, error) => {
    const id = decodeId(idPrefix.account, account);
    const access = this.login.accounts.find((candidate) => candidate.id === id);
    if (!access) throw new MethodError(error ?? "accountNotFound");
    if (mode === "write" && access.isReadOnly) throw new MethodError("accountReadOnly");
    return access.id;
  };

  reading(reader: Reader): ReadCall {
    return { ...this, reader };
  }

  writing(tx: Tx): WriteCall {
    return { ...this, tx, reader: tx };
  }
}

class Run {
  readonly registry: Registry;
  readonly services: Services;
  readonly request: DispatchRequest;
  readonly answers = new Answers();
  readonly createdIds: Map<string, string>;
  readonly #references: Budget;

  constructor(registry: Registry, services: Services, request: DispatchRequest) {
    this.registry = registry;
    this.services = services;
    this.request = request;
    this.createdIds = new Map(Object.entries(request.createdIds));
    this.#references = { left: services.limits.maxSizeRequest };
  }

  /** Runs the call at `index` and the following reads that share its snapshot. Returns the index of the next call. */
  async step(index: number): Promise<number> {
    const invocation = this.request.calls[index]!;
    let ready: ReadyCall | undefined;
    try {
      ready = this.#ready(invocation, this.answers.responses, [this.createdIds]);
      if (ready.method.access === "read") return await this.#readGroup(index, ready);
      if (ready.method.access === "write") await this.#write(ready);
      else await this.#runAlone(ready);
    } catch (error) {
      this.#fail(error, invocation, ready);
    }
    return index + 1;
  }

  #ready(invocation: Invocation, responses: readonly Invocation[], created: ReadonlyMap<string, string>[]): ReadyCall {
    const known = this.registry.get(invocation[0]);
    const { relaxedUsing, using } = this.request;
    if (!known) throw new MethodError("unknownMethod", invocation[0]);
    if (!relaxedUsing && !using.has(known.method.capability)) {
      const { login, agent } = this.request;
      throw missingCapability(this.services.log, { login: login.login, agent }, known.method);
    }
    // A request that has already asked for too much is refused before it costs more.
    if (known.method.access !== "write") this.request.octets.take(0);
    return this.#check(known, invocation, responses, created);
  }

  /** An implicit call, whose capability need not be in `using`. */
  #readyImplicit(invocation: Invocation, created: ReadonlyMap<string, string>[]): ReadyCall {
    const known = this.registry.get(invocation[0]);
    if (!known) throw new MethodError("unknownMethod", invocation[0]);
    return this.#check(known, invocation, [], created);
  }

  #check(
    { method, check }: Registered,
    [, given, callId]: Invocation,
    responses: readonly Invocation[],
    created: ReadonlyMap<string, string>[],
  ): ReadyCall {
    checkScope(this.request.login, method);
    const args = resolveReferences(given, responses, this.#references);
    const problem = check(args);
    if (problem) throw new MethodError("invalidArguments", describe(problem));
    const call = new CallContext(this, typeof args.accountId === "string" ? args.accountId : "", created);
    if (method.access !== "none") {
      const writes = method.access === "write" || (method.access === "own" && method.writes === true);
      call.accountId = call.openAccount(call.account, writes ? "write" : "read");
    }
    return { method, args, callId, call, begunAt: performance.now() };
  }

  /** Runs consecutive reads of one account on one snapshot. */
  async #readGroup(index: number, first: ReadyCall): Promise<number> {
    const { calls } = this.request;
    const { store } = this.services;
    const joined = calls[index + 1];
    const isFree = first.method.stateFirst === true && !(joined && this.#joins(joined, first));
    const reading = isFree ? store.reads.bind(store) : store.snapshot.bind(store);
    const { answers, next } = await reading(first.call.accountId, this.request.login, async (reader: Reader) => {
      const answers = new Answers();
      let next = index;
      let ready: ReadyCall | undefined = first;
      do {
        const invocation: Invocation = calls[next++]!;
        let wentOn = true;
        try {
          ready ??= this.#ready(invocation, [...this.answers.responses, ...answers.responses], [this.createdIds]);
          const { taken } = this.request.octets;
          const { method, args, call } = ready;
          const result = await span(method, () => method.run(args, call.reading(reader), undefined));
          // Methods count what can grow without bound. The rest is counted here, since a request may repeat a call.
          if (this.request.octets.taken === taken) this.request.octets.take(weigh(result.response));
          answers.succeeded(ready, result);
        } catch (error) {
          if (isRetryable(error)) throw error;
          // The snapshot is unusable after a failed statement: the next call opens another.
          wentOn = error instanceof MethodError;
          this.#fail(error, invocation, ready, answers);
        }
        if (!wentOn) break;
        ready = undefined;
      } while (next < calls.length && this.#joins(calls[next]!, first));
      return { answers, next };
    });
    this.answers.add(answers);
    return next;
  }

  #joins([name, args]: Invocation, first: ReadyCall): boolean {
    return this.registry.get(name)?.method.access === "read" && args.accountId === first.call.account;
  }

  async #write(ready: ReadyCall): Promise<void> {
    const written = await span(ready.method, () => this.#commit(ready));
    this.answers.succeeded(ready, written.result);
    this.answers.add(written.implicit);
    for (const [creationId, id] of written.created) this.createdIds.set(creationId, id);
    for (const invocation of written.later) await this.#implicitAfter(invocation);
  }

  async #commit(ready: ReadyCall) {
    const { method, args, call } = ready;
    const prepared = await method.prepare?.(args, call);
    return this.services.store.write(
      call.accountId,
      this.request.login,
      async (tx) => {
        const implicit = new Answers();
        const created = new Map<string, string>();
        const result = await method.run(args, call.writing(tx), prepared);
        note(created, result);
        const later = await this.#implicitInside(ready, result, tx, implicit, created);
        return { result, implicit, created, later };
      },
      { ids: method.ids?.(args) ?? 0, states: true },
    );
  }

  /** Runs the implicit writes to the same account. Returns the other implicit calls, which run after the commit. */
  async #implicitInside(
    cause: ReadyCall,
    { implicit = [] }: MethodResult,
    tx: Tx,
    answers: Answers,
    created: Map<string, string>,
  ): Promise<Invocation[]> {
    const later: Invocation[] = [];
    for (const { name, args } of implicit) {
      const invocation: Invocation = [name, args as Record<string, unknown>, cause.callId];
      let ready: ReadyCall | undefined;
      try {
        ready = this.#readyImplicit(invocation, [created, this.createdIds]);
        if (ready.method.access !== "write" || ready.call.accountId !== cause.call.accountId) {
          later.push(invocation);
          continue;
        }
        const { method, args, call } = ready;
        const prepared = await method.prepare?.(args, call);
        const result = await span(method, () => tx.savepoint(() => method.run(args, call.writing(tx), prepared)));
        answers.succeeded(ready, result);
        note(created, result);
      } catch (error) {
        if (!(error instanceof MethodError)) throw error;
        this.#fail(error, invocation, ready, answers);
      }
    }
    return later;
  }

  async #implicitAfter(invocation: Invocation): Promise<void> {
    let ready: ReadyCall | undefined;
    try {
      ready = this.#readyImplicit(invocation, [this.createdIds]);
      if (ready.method.access === "write") await this.#write(ready);
      else await this.#runAlone(ready);
    } catch (error) {
      this.#fail(error, invocation, ready);
    }
  }

  async #runAlone(ready: ReadyCall): Promise<void> {
    const { method, args, callId, call } = ready;
    const result = await span(method, () =>
      method.access === "read"
        ? this.services.store.snapshot(call.accountId, this.request.login, (reader) =>
            method.run(args, call.reading(reader), undefined),
          )
        : method.run(args, call, undefined),
    );
    this.answers.succeeded(ready, result);
    note(this.createdIds, result);
    for (const implicit of result.implicit ?? []) {
      await this.#implicitAfter([implicit.name, implicit.args as Record<string, unknown>, callId]);
    }
  }

  #fail(error: unknown, invocation: Invocation, ready: ReadyCall | undefined, answers = this.answers): void {
    answers.failed(this.#methodError(error, invocation[0]), invocation, ready);
  }

  /** Logs an unexpected error under a reference; the client is told only the reference. */
  #methodError(error: unknown, method: string): MethodError {
    if (error instanceof MethodError) return error;
    if (error instanceof AccountMissing) return new MethodError("accountNotFound");
    if (isStorageTrouble(error)) {
      tellStorageTrouble(this.services.log, error);
      return new MethodError("serverUnavailable", "nothing can be stored at the moment");
    }
    // Logged once, when the database server went away.
    if (error instanceof Unreachable)
      return new MethodError("serverUnavailable", "the account cannot be read just now");
    const reference = this.services.random(6).toString("hex");
    this.services.log.error({ reference, method, err: error }, "method failed");
    if (error instanceof CommitError) return new MethodError("serverPartialFail", `outcome unknown, see ${reference}`);
    if (isRetryable(error)) return new MethodError("serverUnavailable", `reference ${reference}`);
    return new MethodError("serverFail", `unexpected error, reference ${reference}`);
  }
}

function span<T>({ name }: ReadyCall["method"], work: () => Promise<T>): Promise<T> {
  return traced("method", () => ({ name }), work);
}

function note(createdIds: Map<string, string>, { created = {} }: MethodResult): void {
  for (const [creationId, id] of Object.entries(created)) createdIds.set(creationId, id);
}
