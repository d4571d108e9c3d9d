import { AsyncLocalStorage } from "node:async_hooks";
import { channel, tracingChannel } from "node:diagnostics_channel";
import type { Context, Span, SpanContext, Tracer } from "@opentelemetry/api";
import { lru } from "../base/lru.ts";
import { causeChannel, type SpanKind, type Spans, spanChannel } from "../base/traces.ts";
import { forms } from "./span-forms.ts";

type Api = typeof import("@opentelemetry/api");
type About<Kind extends SpanKind> = Spans[Kind] & { error?: unknown };

/** How many submissions are remembered with the request that made them. */
const maxCauses = 10_000;

/** Listens to all kinds of work and makes a span of each. */
export class SpanListener {
  readonly #api: Api;
  readonly #tracer: Tracer;
  /** The innermost span. */
  readonly #within = new AsyncLocalStorage<Span | undefined>();
  readonly #causes = lru<string, SpanContext>({ max: maxCauses });
  readonly #stops: (() => void)[];

  constructor(api: Api, tracer: Tracer) {
    this.#api = api;
    this.#tracer = tracer;
    channel(causeChannel).subscribe(this.#remember);
    this.#stops = (Object.keys(forms) as SpanKind[]).map((kind) => this.#listen(kind));
  }

  stop(): void {
    channel(causeChannel).unsubscribe(this.#remember);
    for (const stop of this.#stops) stop();
  }

  #listen<Kind extends SpanKind>(kind: Kind): () => void {
    const form = forms[kind];
    const spans = new WeakMap<object, Span>();
    const begin = (about: Spans[Kind]) => {
      const context = this.#contextOf(form.begins, about);
      if (!context) return this.#within.getStore();
      const span = this.#tracer.startSpan(form.name(about), { kind: this.#api.SpanKind[form.kind] }, context);
      spans.set(about, span);
      return span;
    };
    const end = (about: About<Kind>) => {
      const span = spans.get(about);
      if (!span) return;
      span.updateName(form.name(about)).setAttributes(form.attributes(about));
      if (about.error !== undefined) this.#note(about.error, span);
      span.end();
    };
    const traces = tracingChannel<unknown, About<Kind>>(spanChannel(kind));
    // When the work throws before it returns a promise, there is no asyncEnd.
    const endOfThrown = (about: unknown) => (about as About<Kind>).error !== undefined && end(about as About<Kind>);
    const endOfPromise = (about: unknown) => end(about as About<Kind>);
    traces.start.bindStore(this.#within, begin);
    traces.end.subscribe(endOfThrown);
    traces.asyncEnd.subscribe(endOfPromise);
    return () => {
      traces.start.unbindStore(this.#within);
      traces.end.unsubscribe(endOfThrown);
      traces.asyncEnd.unsubscribe(endOfPromise);
    };
  }

  /** The parent of a new span; undefined if there is to be no span. */
  #contextOf(begins: "always" | "alone" | "never", about: object): Context | undefined {
    const { trace, ROOT_CONTEXT } = this.#api;
    const cause = "cause" in about ? this.#takeCause(about.cause as string) : undefined;
    if (cause) return trace.setSpanContext(ROOT_CONTEXT, cause);
    const parent = this.#within.getStore();
    // Timers and loops that a request started outlive its span.
    if (begins !== "always" && parent?.isRecording()) return trace.setSpan(ROOT_CONTEXT, parent);
    return begins === "never" ? undefined : ROOT_CONTEXT;
  }

  readonly #remember = (message: unknown): void => {
    const span = this.#within.getStore();
    if (span?.isRecording()) this.#causes.set((message as { name: string }).name, span.spanContext());
  };

  #takeCause(name: string): SpanContext | undefined {
    const cause = this.#causes.get(name);
    this.#causes.delete(name);
    return cause;
  }

  /** Messages may quote what a user wrote, so only the kind of an error is told. */
  #note(error: unknown, span: Span): void {
    const { responseCode, type, code, name } = error as Record<string, unknown>;
    // A peer or a client is refused by a reply code or by one of the RFCs' types: that is no failure of ours.
    const refusal = responseCode ?? type;
    span.setAttribute("error.type", String(refusal ?? code ?? name));
    if (refusal === undefined) span.setStatus({ code: this.#api.SpanStatusCode.ERROR });
  }
}
