import type { ReportCount } from "../../store/queues/report-counts.ts";
import { maxRows, type ParsedReport, type ReportHead, secondsOf } from "./report.ts";
import { BadReport } from "./unpack.ts";

/** What is counted of connections to a domain's servers. `fault` null: they succeeded. */
export interface TlsCounted {
  policy: { type: string; strings: readonly string[]; mx: readonly string[] };
  fault: { result: string; words: string; host: string; address: string } | null;
}

type Json = Record<string, unknown>;

/** RFC 8460 §4.4: the report of a day as JSON. */
export function tlsReport(head: ReportHead, counts: readonly Pick<ReportCount, "what" | "number">[]): string {
  const seen = counts.map(({ what, number }) => ({ ...(what as unknown as TlsCounted), number }));
  const policies = [...Map.groupBy(seen, ({ policy }) => JSON.stringify(policy)).values()].map((of) => {
    const { type, strings, mx } = of[0]!.policy;
    const sum = (is: boolean) =>
      of.filter(({ fault }) => (fault === null) === is).reduce((all, one) => all + one.number, 0);
    return {
      policy: {
        "policy-type": type,
        ...(strings.length > 0 && { "policy-string": strings }),
        "policy-domain": head.domain,
        ...(mx.length > 0 && { "mx-host": mx }),
      },
      summary: { "total-successful-session-count": sum(true), "total-failure-session-count": sum(false) },
      "failure-details": of.flatMap(({ fault, number }) =>
        fault === null
          ? []
          : [
              {
                "result-type": fault.result,
                "receiving-mx-hostname": fault.host,
                "receiving-ip": fault.address,
                "failed-session-count": number,
                "failure-reason-code": fault.words,
              },
            ],
      ),
    };
  });
  return JSON.stringify({
    "organization-name": head.organization,
    "date-range": { "start-datetime": `${head.day}T00:00:00Z`, "end-datetime": `${head.day}T23:59:59Z` },
    "contact-info": head.contact,
    "report-id": head.reportId,
    policies,
  });
}

/** The name of a report's file (RFC 8460 §5.1, RFC 9990 §2.6.2). */
export function reportFile(submitter: string, { domain, day, reportId }: ReportHead, end: string): string {
  const { begin, end: last } = secondsOf(day);
  return `${submitter}!${domain}!${begin}!${last}!${reportId.replace(/[^\w.-]/g, "_")}.${end}`;
}

/** RFC 8460 §4.4: one report for each domain that the JSON is about. Throws BadReport. */
export function parseTlsReport(text: string): ParsedReport[] {
  const report = object(parsed(text));
  const range = object(report["date-range"]);
  const [begins, ends] = [dateOf(range["start-datetime"]), dateOf(range["end-datetime"])];
  const base = { kind: "tls" as const, begins, ends };
  const [organization, reportId] = [short(report["organization-name"]), short(report["report-id"])];
  if (reportId === "") throw new BadReport("a TLS report without an id");
  const policies = list(report.policies).map(object);
  const named = Map.groupBy(policies, (one) => short(object(one.policy)["policy-domain"]).toLowerCase());
  return [...named].map(([domain, of]) => ({
    ...{ ...base, domain, organization, reportId },
    policy: { policies: of.map(({ policy }) => policy) },
    rows: of.flatMap(rowsOf).slice(0, maxRows),
  }));
}

function rowsOf(one: Json): ParsedReport["rows"] {
  const type = short(object(one.policy)["policy-type"]);
  const good = whole(object(one.summary)["total-successful-session-count"]);
  const failures = list(one["failure-details"] ?? []).map(object);
  return [
    ...(good > 0 ? [{ source: "", result: "success", number: good, what: { policy: type } }] : []),
    ...failures.map((failure) => ({
      source: short(failure["receiving-mx-hostname"]),
      result: short(failure["result-type"]),
      number: whole(failure["failed-session-count"]),
      what: {
        policy: type,
        from: short(failure["sending-mta-ip"]),
        to: short(failure["receiving-ip"]),
        reason: short(failure["failure-reason-code"] ?? failure["additional-information"]),
      },
    })),
  ];
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new BadReport("a TLS report that is not JSON");
  }
}

function object(value: unknown): Json {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Json;
  throw new BadReport("a TLS report without a part that it must have");
}

function list(value: unknown): unknown[] {
  if (Array.isArray(value) && value.length <= maxRows) return value;
  throw new BadReport("a TLS report without a list that it must have");
}

function dateOf(value: unknown): Date {
  const date = new Date(typeof value === "string" ? value : Number.NaN);
  if (Number.isNaN(date.getTime())) throw new BadReport("a TLS report without its dates");
  return date;
}

/** The database takes no NUL. */
const short = (value: unknown): string => (typeof value === "string" ? value.replaceAll("\0", "").slice(0, 500) : "");

const whole = (value: unknown): number =>
  Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : 0;
