import type { Email, Id } from "../shared/jmap/types.ts";
import type { Authentication } from "./conversation/origin.ts";

/** docs/jmap.md, "What scanning found" */
export interface Scan {
  score: number;
  by: string;
  reasons: { rule: string; points: number; reason: string }[];
  marks: { kind: string; text: string; shown?: string; actual?: string }[];
}

/** What a mail holds, fetched when it is opened. Every part has `Content-Type` as it was written. */
export type Content = Pick<Email, "id" | "textBody" | "htmlBody" | "attachments" | "bodyValues"> & {
  scan?: Scan | null;
  authentication?: Authentication | null;
  "header:List-Unsubscribe:asURLs": string[] | null;
  "header:List-Unsubscribe-Post:asText": string | null;
};

/** Beyond these, what was read longest ago is fetched again when it is opened. */
const maxKept = 100;

/** The mails of an account that were opened: they never change, so they are fetched once. */
class Contents {
  readonly #kept = new Map<Id, Content>();

  /** What is kept of a mail. */
  get(id: Id): Content | undefined {
    return this.#kept.get(id);
  }

  keep(content: Content): void {
    this.#kept.delete(content.id);
    this.#kept.set(content.id, content);
    for (const id of this.#kept.keys()) {
      if (this.#kept.size <= maxKept) break;
      this.#kept.delete(id);
    }
  }

  all(): Content[] {
    return [...this.#kept.values()];
  }
}

const ofAccounts = new Map<Id, Contents>();

export function keptContents(accountId: Id): Contents {
  let contents = ofAccounts.get(accountId);
  if (!contents) {
    contents = new Contents();
    ofAccounts.set(accountId, contents);
  }
  return contents;
}

/** Another login may have accounts of the same ids. */
export const forgetContents = (): void => ofAccounts.clear();
