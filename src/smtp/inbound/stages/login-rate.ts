import type { SharedCounts } from "../../../base/shared-counts.ts";
import { type Check, defer, pass } from "./stage.ts";

const maxMessagesPerMinute = 100;
const maxRecipientsPerHour = 5_000;

/** Limits what one login sends, so that a stolen password does not make this server a source of spam. */
export function loginRate({ counts }: { counts: SharedCounts }): {
  messages: Check<"mail">;
  recipients: Check<"rcpt">;
} {
  const messages = counts.rateLimit("submission messages", { max: maxMessagesPerMinute, windowMs: 60_000 });
  const recipients = counts.rateLimit("submission recipients", { max: maxRecipientsPerHour, windowMs: 3_600_000 });
  return {
    messages: async ({ login }) => {
      if (await messages.count(login?.login ?? "")) return pass();
      return defer(451, "4.7.0", `you may send ${maxMessagesPerMinute} messages a minute, try again later`);
    },
    recipients: async ({ login }) => {
      if (await recipients.count(login?.login ?? "")) return pass();
      return defer(452, "4.7.0", `you may send to ${maxRecipientsPerHour} recipients an hour, try again later`);
    },
  };
}
