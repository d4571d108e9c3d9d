import { encodeId, idPrefix } from "./ids.ts";
import type { Log } from "./log.ts";

/**
 * A step of a mail on its way. No contents and no secrets: who it is from and for, where it went, and why.
 * `from` is "" for the null sender.
 */
export interface MailStep {
  /** The mail's id, which its header and all its log lines have as q…; undefined before it has one. */
  id?: number | undefined;
  /** As in the header, with its angle brackets. */
  messageId?: string | undefined;
  from?: string;
  to?: readonly string[];
  [more: string]: unknown;
}

/** Logs the steps of mails, and keeps them for `posthorn trace`. Returns at once and never throws. */
export interface MailLog {
  tell(event: string, step: MailStep, level?: "info" | "warn"): void;
  /** A mail, sender or recipient that was refused: there may be very many. */
  tellRefusal(event: string, step: MailStep): void;
}

/** The name of a mail, from its number. */
export const mailIdOf = (id: number) => encodeId(idPrefix.incoming, id);

/** A log line for a step. */
export function logStep(log: Log, event: string, { id, ...step }: MailStep, level: "info" | "warn" = "info"): void {
  log[level]({ ...(id !== undefined && { id: mailIdOf(id) }), ...step }, event);
}

/** Keeps nothing. */
export function onlyLogged(log: Log): MailLog {
  return {
    tell: (event, step, level) => logStep(log, event, step, level),
    tellRefusal: (event, step) => logStep(log, event, step),
  };
}
