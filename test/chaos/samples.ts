/** What clients and peers do. */
export const operations = [
  "mail in",
  "read",
  "flag",
  "move",
  "draft",
  "upload",
  "send out",
  "send here",
  "changes",
] as const;
export type Operation = (typeof operations)[number];

export interface Sample {
  operation: Operation;
  /** The addresses of the user who asks, or of all to whom the mail is. */
  users: readonly string[];
  /** `performance.now()` */
  startedAt: number;
  ms: number;
  /** Why it was refused; undefined if it was done. */
  refusal: string | undefined;
}

/** How long everything took, and what was refused. */
export class Samples {
  readonly all: Sample[] = [];

  /** Runs `work`, which throws when it is refused. Returns undefined then. */
  async time<T>(operation: Operation, users: readonly string[], work: () => Promise<T>): Promise<T | undefined> {
    const startedAt = performance.now();
    const note = (refusal: string | undefined) =>
      this.all.push({ operation, users, startedAt, ms: performance.now() - startedAt, refusal });
    try {
      const result = await work();
      note(undefined);
      return result;
    } catch (error) {
      note(refusalOf(error));
      return undefined;
    }
  }
}

/** The 95th part of 100; undefined if there is nothing. */
export function p95(samples: readonly Sample[]): number | undefined {
  const sorted = samples.map(({ ms }) => ms).sort((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * 0.95) - 1];
}

/** A short name of a refusal, to count them by. */
function refusalOf(error: unknown): string {
  const { name, status, code, type, message } = error as Error & { status?: number; code?: unknown; type?: string };
  if (name === "HttpFailure") return `HTTP ${status}`;
  if (name === "MethodFailure") return type!;
  if (name === "SmtpFailure")
    return code === 0 ? (message.includes("no reply") ? "SMTP silent" : "SMTP cut") : `SMTP ${code}`;
  if (typeof code === "string") return code;
  return message.startsWith("no answer")
    ? "silent"
    : message.startsWith("the answer was cut")
      ? "cut"
      : message.slice(0, 80);
}
