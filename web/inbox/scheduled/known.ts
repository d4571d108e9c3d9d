import { type Signal, signal } from "@preact/signals";
import type { Id } from "../../shared/jmap/types.ts";
import type { Account } from "../../shared/store/account.ts";

/** A mail that the server holds until its time. */
export interface Scheduled {
  submissionId: Id;
  emailId: Id;
  sendAt: string;
  to: string[];
}

/** Held back for less than this, it is only about to be taken back. */
const soonMs = 60_000;
const maxShown = 200;

const ofAccounts = new WeakMap<Account, Signal<readonly Scheduled[]>>();

/** The mails of an account that are to leave later, as far as was looked; the next first. */
export function scheduledOf(account: Account): Signal<readonly Scheduled[]> {
  let known = ofAccounts.get(account);
  if (!known) {
    known = signal<readonly Scheduled[]>([]);
    ofAccounts.set(account, known);
  }
  return known;
}

/** Looks at the server which these are; without a line, they stay as they were. */
export async function lookForScheduled(account: Account): Promise<void> {
  const { id: accountId, jmap } = account;
  if (!account.about.accountCapabilities["urn:ietf:params:jmap:submission"]) return;
  const filter = { undoStatus: "pending" };
  const sort = [{ property: "sentAt", isAscending: true }];
  const query = jmap.call("EmailSubmission/query", { accountId, filter, sort, limit: maxShown });
  const get = jmap.call("EmailSubmission/get", { accountId, "#ids": query.ref("/ids") });
  try {
    const [, { list }] = await Promise.all([query, get]);
    const later = list.filter(({ sendAt }) => Date.parse(sendAt) - Date.now() > soonMs);
    scheduledOf(account).value = later
      .toSorted((one, other) => one.sendAt.localeCompare(other.sendAt))
      .map(({ id, emailId, sendAt, envelope }) => ({
        ...{ submissionId: id, emailId, sendAt },
        to: envelope?.rcptTo.map(({ email }) => email) ?? [],
      }));
  } catch {
    // Tried again when it is looked at.
  }
}
