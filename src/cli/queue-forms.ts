import type { ErrorEntry } from "../admin/queue-list.ts";
import type { QueueRow } from "../admin/queue-selection.ts";
import { mailIdOf } from "../base/mail-log.ts";
import type { WaitingMessage } from "../store/queues/incoming.ts";

const maxCell = 100;
const short = (text: string) => (text.length > maxCell ? `${text.slice(0, maxCell - 1)}…` : text);
const shortly = (addresses: readonly string[]) => short(addresses.join(", "));

/** The ids of mails as people see them. */
export function toJson(value: unknown): string {
  const named = (key: string, one: unknown) =>
    (key === "mailId" || key === "incomingId") && typeof one === "number" ? mailIdOf(one) : one;
  return JSON.stringify(value, named, 2);
}

export function queuedCells(rows: readonly QueueRow[]): string[][] {
  return [
    ["ID", "STATE", "FROM", "TO", "ACCEPTED", "ATTEMPTS", "NEXT", "LAST REPLY"],
    ...rows.map(
      ({ name, standing, mailFrom, rcptTo, createdAt, attempts, nextAttemptAt, smtpReply, route, heldFor }) => [
        ...[
          name,
          standing === "held" && heldFor !== null ? `held for ${heldFor}` : standing,
          mailFrom || "<>",
          rcptTo,
          createdAt.toISOString(),
          String(attempts),
        ],
        standing === "held" ? "-" : nextAttemptAt.toISOString(),
        short(route === null ? smtpReply : `${smtpReply} (by ${route})`),
      ],
    ),
  ];
}

export function incomingCells(rows: readonly WaitingMessage[]): string[][] {
  return [
    ["ID", "FROM", "TO", "ACCEPTED", "ATTEMPTS", "NEXT", "REASON"],
    ...rows.map(({ id, mailFrom, recipients, createdAt, attempts, leasedUntil, lastError, setAsideAt }) => [
      mailIdOf(id),
      mailFrom || "<>",
      shortly(recipients.filter(({ done }) => !done).map(({ address }) => address)),
      createdAt.toISOString(),
      String(attempts),
      setAsideAt === null ? leasedUntil.toISOString() : "set aside",
      short(lastError ?? ""),
    ]),
  ];
}

export function errorCells(errors: readonly ErrorEntry[]): string[][] {
  return [
    ["ID", "AT", "ERROR", "FROM", "TO", "REPLY"],
    ...errors.map(({ name, at, error, mailFrom, recipients, reply }) => [
      ...[name, at.toISOString(), error ?? "", mailFrom || "<>", shortly(recipients), short(reply)],
    ]),
  ];
}
