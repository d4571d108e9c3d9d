import type { EmailSubmission } from "../../shared/jmap/types.ts";

export interface Recipient {
  address: string;
  state: "delivered" | "read" | "handedOver" | "queued" | "failed";
  /** What the server said, where that explains something. */
  reply: string | undefined;
}

/** What a server's enhanced status code (RFC 3463 §3) means to whoever wrote the mail. */
export type Reason = "noAddress" | "noServer" | "full" | "tooLarge" | "unwanted";

export function reasonOf(reply: string): Reason | undefined {
  const [, subject, detail] = /\b[45]\.(\d{1,3})\.(\d{1,3})\b/.exec(reply) ?? [];
  const code = `${subject}.${detail}`;
  if (["1.1", "1.3", "1.6", "1.10", "2.1"].includes(code)) return "noAddress";
  if (["1.2", "4.4"].includes(code)) return "noServer";
  if (code === "2.2") return "full";
  if (["2.3", "3.4"].includes(code)) return "tooLarge";
  return subject === "7" ? "unwanted" : undefined;
}

export interface Summary {
  state: "scheduled" | "canceled" | "failed" | "queued" | "handedOver" | "delivered";
  recipients: Recipient[];
  /** How many recipients it did not reach. */
  failed: number;
  /** Whether more is to be heard of it soon. */
  isOpen: boolean;
}

/** Held back for less than this it is only about to be taken back. */
const soonMs = 60_000;

/** A submission as people see it (RFC 8621 §7): the worst that happened to any of its recipients. */
export function summaryOf({ undoStatus, sendAt, deliveryStatus }: EmailSubmission, now: number): Summary {
  const recipients = Object.entries(deliveryStatus ?? {}).map(([address, status]) => ofRecipient(address, status));
  const failed = recipients.filter(({ state }) => state === "failed").length;
  const has = (state: Recipient["state"]) => recipients.some((one) => one.state === state);
  const waitMs = Date.parse(sendAt) - now;
  const isPending = undoStatus === "pending";
  const isOpen = undoStatus !== "canceled" && ((isPending && waitMs < soonMs) || has("queued"));
  if (undoStatus === "canceled") return { state: "canceled", recipients, failed, isOpen };
  if (isPending && waitMs >= soonMs) return { state: "scheduled", recipients, failed, isOpen: false };
  if (failed > 0) return { state: "failed", recipients, failed, isOpen };
  if (has("queued") || recipients.length === 0) return { state: "queued", recipients, failed, isOpen };
  return { state: has("handedOver") ? "handedOver" : "delivered", recipients, failed, isOpen };
}

type Status = NonNullable<EmailSubmission["deliveryStatus"]>[string];

function ofRecipient(address: string, { delivered, displayed, smtpReply }: Status): Recipient {
  const isRefusal = /^[45]/.test(smtpReply);
  const reply = isRefusal ? smtpReply.replace(/\s*\n\s*/g, " ") : undefined;
  if (displayed === "yes") return { address, state: "read", reply: undefined };
  if (delivered === "no") return { address, state: "failed", reply: smtpReply.replace(/\s*\n\s*/g, " ") || undefined };
  if (delivered === "queued") return { address, state: "queued", reply };
  return { address, state: delivered === "yes" ? "delivered" : "handedOver", reply: undefined };
}
