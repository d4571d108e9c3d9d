import { type Signal, signal } from "@preact/signals";
import type { Filter, Id, SearchSnippet } from "../../shared/jmap/types.ts";
import type { Account } from "../../shared/store/account.ts";

/** Rows that come into sight together are asked for together. */
const restMs = 60;
const maxAtOnce = 50;

/** Where the words of one search are in the mails that it found. */
class Snippets {
  readonly #account: Account;
  readonly #filter: Filter;
  readonly #known = new Map<Id, Signal<SearchSnippet | undefined>>();
  #wanted: Id[] = [];

  constructor(account: Account, filter: Filter) {
    this.#account = account;
    this.#filter = filter;
  }

  /** Its value comes later. */
  of(id: Id): Signal<SearchSnippet | undefined> {
    let one = this.#known.get(id);
    if (!one) {
      one = signal<SearchSnippet | undefined>(undefined);
      this.#known.set(id, one);
      if (this.#wanted.push(id) === 1) setTimeout(() => void this.#fetch(), restMs);
    }
    return one;
  }

  async #fetch(): Promise<void> {
    const emailIds = this.#wanted.splice(0, maxAtOnce);
    if (this.#wanted.length > 0) setTimeout(() => void this.#fetch(), 0);
    const { jmap, id: accountId } = this.#account;
    // Without them, a row shows the beginning of its mail.
    const found = await jmap
      .call("SearchSnippet/get", { accountId, filter: this.#filter, emailIds })
      .catch(() => undefined);
    for (const snippet of found?.list ?? []) {
      const known = this.#known.get(snippet.emailId);
      if (known) known.value = snippet;
    }
    if (!found) for (const id of emailIds) this.#known.delete(id);
  }
}

let current: { account: Account; key: string; snippets: Snippets } | undefined;

/** The snippet of an email for this search; undefined until it is there. */
export function snippetOf(account: Account, filter: Filter, id: Id): SearchSnippet | undefined {
  const key = JSON.stringify(filter);
  if (current?.account !== account || current.key !== key) {
    current = { account, key, snippets: new Snippets(account, filter) };
  }
  return current.snippets.of(id).value;
}
