import { findActiveVacation } from "../../../store/mail/vacation.ts";
import { answerableOnce } from "../../vacation/vacation-rules.ts";
import type { Check } from "../disposition.ts";

/**
 * RFC 8621 §8: asks for an answer while the recipient is away. `VacationResponder` leaves out senders answered lately.
 */
export const vacation: Check = async ({ prepared, mailFrom, arrivedAt }, _recipient, { reader }) => {
  if (!answerableOnce(prepared, mailFrom)) return [];
  const active = await findActiveVacation(reader, arrivedAt);
  return active ? [{ kind: "answer", reason: "the recipient is away" }] : [];
};
