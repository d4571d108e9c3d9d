import { invalidProperties, type SetError } from "../errors.ts";

/** The most faults listed for one record. */
const maxFaults = 1_000;

/** Collects everything that is wrong with one record: the SetError should list every property (RFC 8620 §5.3). */
export class Faults {
  readonly #found = new Map<string, string>();

  add(property: string, text: string): void {
    if (!this.#found.has(property) && this.#found.size < maxFaults) this.#found.set(property, text);
  }

  get properties(): string[] {
    return [...this.#found.keys()];
  }

  error(): SetError | undefined {
    if (this.#found.size === 0) return undefined;
    const text = [...this.#found].map(([property, words]) => `${property}: ${words}`).join("; ");
    return invalidProperties(text, ...this.#found.keys());
  }
}

/** Refuses a record. The first error stands, but errors of wrong properties are joined. */
export function refuse(record: { error?: SetError } | undefined, error: SetError | undefined): void {
  if (record && error) record.error = record.error ? joined(record.error, error) : error;
}

function joined(first: SetError, next: SetError): SetError {
  if (!isOfProperties(first) || !isOfProperties(next)) return first;
  const named = first.details.properties ?? [];
  const added = (next.details.properties ?? []).filter((name) => !named.includes(name));
  return added.length === 0 ? first : invalidProperties(`${first.message}; ${next.message}`, ...named, ...added);
}

/** Whether the error is of wrong properties, so that others may be added. */
export function isOfProperties(error: SetError | undefined): boolean {
  return error?.type === "invalidProperties";
}
