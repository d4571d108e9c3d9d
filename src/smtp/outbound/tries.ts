import type { AttemptOutcome } from "../../store/core/db.ts";
import type { Answer } from "./reply.ts";

const maxTranscript = 16_000;
const maxLine = 1_000;
/** As many as the database's column takes. */
const maxMilliseconds = 2 ** 31 - 1;

/** One try to hand a mail to a server, or to find one. */
export class Try {
  readonly host: string | null;
  readonly address: string | null;
  readonly at: Date;
  milliseconds = 0;
  outcome: AttemptOutcome = "deferred";
  reply = "";
  /** Version and cipher of TLS. */
  tls: string | null = null;
  readonly #began = performance.now();
  readonly #lines: string[] = [];
  #length = 0;
  #isCut = false;
  #isSecret = false;

  constructor(at: Date, server?: { name: string; address: string }) {
    this.at = at;
    this.host = server?.name ?? null;
    this.address = server?.address ?? null;
  }

  /** What was said, line by line: "C: " is ours, "S: " the server's, "* " what we note. */
  get transcript(): string {
    return this.#lines.join("\n");
  }

  /** The lines so far. */
  get lines(): readonly string[] {
    return [...this.#lines];
  }

  /** Begins with what was said when the connection was opened, for an earlier mail. */
  continues({ opening, used }: { opening: readonly string[]; used: number }): void {
    for (const line of opening) this.#add(line);
    this.note(`the same connection, after ${used} other${used === 1 ? "" : "s"}`);
  }

  note(text: string): void {
    this.#add(`* ${text}`);
  }

  /** Ends it with what the recipients were answered: the worst counts. */
  ended(answers: readonly Answer[]): void {
    this.milliseconds = Math.round(performance.now() - this.#began);
    const worst =
      answers.find(({ kind }) => kind === "failed") ?? answers.find(({ kind }) => kind === "deferred") ?? answers[0];
    this.outcome = worst?.kind === "failed" || worst?.kind === "deferred" ? worst.kind : "sent";
    this.reply = worst?.smtpReply ?? "";
    // What no server said is in our own words.
    const isSaid = this.#lines.some((line) => line.startsWith(`S: ${this.reply.slice(0, 3)}`));
    if (!isSaid) this.note(this.reply);
  }

  /** From AUTH to its reply, all that we say is a secret. */
  said(who: "C" | "S", line: string): void {
    const verb = who === "C" ? /^AUTH \S+/i.exec(line)?.[0] : undefined;
    if (verb !== undefined) this.#isSecret = true;
    else if (who === "S" && !line.startsWith("334")) this.#isSecret = false;
    this.#add(`${who}: ${who === "C" && this.#isSecret ? `${verb ?? ""} (not shown)`.trimStart() : line}`);
  }

  #add(text: string): void {
    if (this.#isCut) return;
    const line = text
      .replace(/[\x00-\x08\x0b-\x1f\x7f]/g, " ")
      .toWellFormed()
      .slice(0, maxLine);
    this.#length += line.length + 1;
    this.#isCut = this.#length > maxTranscript;
    this.#lines.push(this.#isCut ? "* the rest is left out" : line);
  }
}

/** The tries of one attempt for the recipients of one destination. */
export class Tries {
  readonly list: Try[] = [];
  /** What the mail had to wait for before. */
  waited: Try | undefined;
  readonly #now: () => Date;

  constructor(now: () => Date) {
    this.#now = now;
  }

  begin(server?: { name: string; address: string }): Try {
    const begun = new Try(this.#now(), server);
    this.list.push(begun);
    return begun;
  }

  /** Notes that nothing was tried since then, and what the recipients' status said meanwhile. */
  hasWaited(since: Date, reply: string): void {
    this.waited = new Try(since);
    this.waited.reply = reply;
    this.waited.milliseconds = Math.min(this.#now().getTime() - since.getTime(), maxMilliseconds);
    this.waited.note(reply);
  }
}
