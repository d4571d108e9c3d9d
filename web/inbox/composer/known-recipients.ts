import type { EmailAddress, Id } from "../../shared/jmap/types.ts";
import type { Account } from "../../shared/store/account.ts";

/** Somebody who was written to. */
interface Known extends EmailAddress {
  /** How often, the newest mails counting most. */
  weight: number;
}

interface Kept {
  at: number;
  known: Known[];
}

const looked = 500;
const maxAgeMs = 24 * 3_600_000;
const itemOf = (accountId: Id) => `posthorn.recipients.${accountId}`;

/** Whom an account has written to, from its newest sent mails; kept by this browser for a day. */
export class KnownRecipients {
  readonly #account: Account;
  #kept: Kept;
  #loading: Promise<void> | undefined;

  constructor(account: Account) {
    this.#account = account;
    this.#kept = stored(account.id);
  }

  /** Fetches what is too old, once. */
  load(): Promise<void> {
    if (Date.now() - this.#kept.at < maxAgeMs) return Promise.resolve();
    this.#loading ??= this.#fetch().catch(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  /** The best guesses for what was typed: the start of an address, or of any word of a name. */
  find(typed: string, without: readonly EmailAddress[], max = 6): EmailAddress[] {
    const wanted = fold(typed.trim());
    if (wanted === "") return [];
    const isTaken = ({ email }: EmailAddress) => without.some((one) => one.email.toLowerCase() === email.toLowerCase());
    const fits = ({ name, email }: Known) =>
      fold(email).startsWith(wanted) ||
      fold(email).split("@")[1]?.startsWith(wanted) === true ||
      ` ${fold(name ?? "")}`.includes(` ${wanted}`);
    return this.#kept.known
      .filter((one) => fits(one) && !isTaken(one))
      .slice(0, max)
      .map(({ name, email }) => ({ name, email }));
  }

  /** Somebody is written to now. */
  add(addresses: readonly EmailAddress[]): void {
    this.#keep({ at: this.#kept.at, known: ranked([{ weight: 1, addresses }], this.#kept.known) });
  }

  async #fetch(): Promise<void> {
    const sent = this.#account.byRole("sent");
    if (!sent) return;
    const { id: accountId, jmap } = this.#account;
    const sort = [{ property: "receivedAt", isAscending: false }];
    const query = jmap.call("Email/query", { accountId, filter: { inMailbox: sent.id }, sort, limit: looked });
    const get = jmap.call("Email/get", { accountId, "#ids": query.ref("/ids"), properties: ["to", "cc", "bcc"] });
    const [, { list }] = await Promise.all([query, get]);
    const mails = list.map(({ to, cc, bcc }, at) => ({
      weight: 1 / (1 + at / 50),
      addresses: [...(to ?? []), ...(cc ?? []), ...(bcc ?? [])],
    }));
    this.#keep({ at: Date.now(), known: ranked(mails) });
  }

  #keep(kept: Kept): void {
    this.#kept = kept;
    try {
      localStorage.setItem(itemOf(this.#account.id), JSON.stringify(kept));
    } catch {
      // The storage is full: it is known while the page is open.
    }
  }
}

function ranked(
  mails: { weight: number; addresses: readonly EmailAddress[] }[],
  before: readonly Known[] = [],
): Known[] {
  const all = new Map(before.map((one) => [one.email.toLowerCase(), one]));
  for (const { weight, addresses } of mails) {
    for (const { name, email } of addresses) {
      const key = email.toLowerCase();
      const known = all.get(key);
      // The newest mail comes first, and has the name by which they are known now.
      all.set(key, { email: known?.email ?? email, name: known?.name ?? name, weight: (known?.weight ?? 0) + weight });
    }
  }
  return [...all.values()].sort((one, other) => other.weight - one.weight).slice(0, 2_000);
}

const fold = (text: string): string => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

function stored(accountId: Id): Kept {
  try {
    const kept = JSON.parse(localStorage.getItem(itemOf(accountId)) ?? "") as Kept;
    if (Array.isArray(kept.known)) return kept;
  } catch {
    // As if there were none.
  }
  return { at: 0, known: [] };
}
