import { AsyncLocalStorage } from "node:async_hooks";
import { channel, type TracingChannel, tracingChannel } from "node:diagnostics_channel";
import type { ObjectOperation } from "./events.ts";

/**
 * What is told of each kind of work. What the work finds out is filled in before it ends. Nothing here may hold an address, a
 * subject, a credential, or a value of a statement.
 */
export interface Spans {
  /** A request over HTTP, until its answer is taken, or over a WebSocket. */
  request: { method: string; endpoint: string; status?: number };
  /** A JMAP method call. */
  method: { name: string };
  /** A statement, or a step of a transaction. */
  statement: { name: string };
  /** An operation on the store of bodies. */
  object: { operation: ObjectOperation };
  /** A message from another server, from DATA to the reply. */
  receive: { recipients: number };
  /** An accepted message on its way into the accounts of its recipients. */
  deliver: { recipients: number };
  /** An attempt to send a submission. `cause`: what its commit was told to be, see `causes`. */
  attempt: { cause: string };
  /** A conversation with another server that takes a message. */
  relay: { recipients: number; replies?: string[] };
}

export type SpanKind = keyof Spans;

/** The name of the diagnostics channel of a kind of work. */
export const spanChannel = (kind: SpanKind) => `posthorn.${kind}`;
export const causeChannel = "posthorn.cause";

const channels = Object.fromEntries(
  (["request", "method", "statement", "object", "receive", "deliver", "attempt", "relay"] satisfies SpanKind[]).map(
    (kind) => [kind, tracingChannel(spanChannel(kind))],
  ),
) as { [Kind in SpanKind]: TracingChannel<unknown, Spans[Kind]> };
const causing = channel(causeChannel);

/** Runs `work`; if anybody traces, as a span, which is handed to it. Otherwise it only calls `work`. */
export function traced<Kind extends SpanKind, T>(
  kind: Kind,
  about: () => Spans[Kind],
  work: (span: Spans[Kind] | undefined) => Promise<T>,
): Promise<T> {
  const traces = channels[kind] as unknown as TracingChannel<unknown, object>;
  if (!traces.hasSubscribers) return work(undefined);
  const span = about();
  return traces.tracePromise(work, span, undefined, span);
}

type Within = <T>(work: () => T) => T;
const within: Within = (work) => work();

/** Returns a function that runs work, whenever and wherever it is called, within the span that is open now. */
export function thisSpan(): Within {
  return channels.statement.hasSubscribers ? AsyncLocalStorage.snapshot() : within;
}

/** The open span leads to an attempt of this name, which this process may make later. */
export function causes(name: string): void {
  if (causing.hasSubscribers) causing.publish({ name });
}
