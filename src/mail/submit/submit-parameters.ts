import { SubmissionRefused } from "./submission-refused.ts";

/** RFC 4865: how long a submission may be held back, in seconds. */
export const maxDelayedSend = 30 * 86_400;

type Parameters = Record<string, string | null> | null;

/** The ESMTP parameters that a client may give, and the form of their values. */
const known = {
  mail: {
    HOLDFOR: /^\d{1,9}$/,
    HOLDUNTIL: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/,
    RET: /^(FULL|HDRS)$/i,
    ENVID: /^[\x21-\x7e]{1,100}$/,
    BODY: /^(7BIT|8BITMIME)$/i,
    SMTPUTF8: null,
    REQUIRETLS: null,
    SIZE: /^\d{1,20}$/,
  },
  rcpt: {
    NOTIFY: /^(NEVER|(SUCCESS|FAILURE|DELAY)(,(SUCCESS|FAILURE|DELAY))*)$/i,
    ORCPT: /^[\w.-]+;[^\s\p{Cc}]+$/u,
  },
} as const;

/** Throws SubmissionRefused for a parameter that no server of ours would understand. */
export function checkParameters(command: "mail" | "rcpt", parameters: Parameters): void {
  const rules: Record<string, RegExp | null> = known[command];
  const seen = new Set<string>();
  for (const [name, value] of Object.entries(parameters ?? {})) {
    const key = name.toUpperCase();
    const rule = Object.hasOwn(rules, key) ? rules[key] : undefined;
    if (rule === undefined) throw refuse(`no parameter ${name}`);
    if (seen.has(key)) throw refuse(`${key} is given twice`);
    seen.add(key);
    if (rule === null ? value !== null : value === null || !rule.test(value)) throw refuse(`bad value of ${name}`);
  }
}

/** RFC 4865: when the message is released. */
export function holdUntil(parameters: Parameters, now: Date): Date {
  const values = new Map(Object.entries(parameters ?? {}).map(([name, value]) => [name.toUpperCase(), value]));
  const [holdFor, until] = [values.get("HOLDFOR"), values.get("HOLDUNTIL")];
  if (holdFor && until) throw refuse("HOLDFOR and HOLDUNTIL exclude each other");
  if (!holdFor && !until) return now;
  const at = holdFor ? now.getTime() + Number(holdFor) * 1000 : Date.parse(until!);
  if (Number.isNaN(at)) throw refuse("bad value of HOLDUNTIL");
  if (at - now.getTime() > maxDelayedSend * 1000) throw refuse(`held back for more than ${maxDelayedSend} seconds`);
  return new Date(Math.max(at, now.getTime()));
}

/** The value of a parameter; its name is not case-sensitive. */
export function parameterOf(parameters: Parameters, name: string): string | undefined {
  const found = Object.entries(parameters ?? {}).find(([key]) => key.toUpperCase() === name);
  return found?.[1] ?? undefined;
}

/** Whether a parameter is given, with or without a value. */
export function hasParameter(parameters: Parameters, name: string): boolean {
  return Object.keys(parameters ?? {}).some((key) => key.toUpperCase() === name);
}

/** RFC 8689 §2: the message goes only where TLS is verified, by each server on its way. */
export const requireTls = "REQUIRETLS";

function refuse(text: string): SubmissionRefused {
  return new SubmissionRefused("invalidEnvelope", text);
}
