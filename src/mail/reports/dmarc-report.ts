import { isIP } from "node:net";
import type { ReportCount } from "../../store/queues/report-counts.ts";
import { maxRows, type ParsedReport, type ReportHead, secondsOf } from "./report.ts";
import { BadReport } from "./unpack.ts";
import { child, childrenOf, readXml, textIn, type XmlElement, xmlText } from "./xml.ts";

/** What is counted of mail in the name of a domain: all that a row of the report says. */
export interface DmarcCounted {
  /** As published, such as {p: "reject", adkim: "s"}. */
  policy: Record<string, string>;
  source: string;
  disposition: "none" | "pass" | "quarantine" | "reject";
  dkim: "pass" | "fail";
  spf: "pass" | "fail";
  headerFrom: string;
  /** Its domain, or "". */
  envelopeFrom: string;
  /** Why a policy was not applied. */
  reason: { type: "local_policy" | "trusted_forwarder"; comment: string } | null;
  auth: {
    dkim: readonly { domain: string; selector: string; result: string }[];
    spf: { domain: string; scope: "mfrom" | "helo"; result: string } | null;
  };
}

const element = (name: string, value: string | number): string => `<${name}>${xmlText(String(value))}</${name}>`;

/** RFC 9990 §3: the report of a day as XML. Counts under different policies make several reports, as many as there are. */
export function dmarcReport(head: ReportHead, counts: readonly Pick<ReportCount, "what" | "number">[]): string {
  const rows = counts.map(({ what, number }) => ({ ...(what as unknown as DmarcCounted), number }));
  const { begin, end } = secondsOf(head.day);
  // The last policy seen; the rows say what was done.
  const policy = rows.at(-1)?.policy ?? {};
  const published = ["p", "sp", "np", "adkim", "aspf", "fo"].flatMap((tag) =>
    policy[tag] === undefined ? [] : [element(tag, policy[tag])],
  );
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0">',
    element("version", "1.0"),
    "<report_metadata>",
    element("org_name", head.organization),
    element("email", head.contact),
    element("report_id", head.reportId),
    `<date_range>${element("begin", begin)}${element("end", end)}</date_range>`,
    element("generator", "Posthorn"),
    "</report_metadata>",
    "<policy_published>",
    element("domain", head.domain),
    ...published,
    element("testing", policy.t === "y" ? "y" : "n"),
    element("discovery_method", "treewalk"),
    "</policy_published>",
    ...rows.map(record),
    "</feedback>\n",
  ].join("\n");
}

function record({ number, auth, ...row }: DmarcCounted & { number: number }): string {
  const { reason: why } = row;
  const reason = why ? `<reason>${element("type", why.type)}${element("comment", why.comment)}</reason>` : "";
  const dkim = auth.dkim.map(
    ({ domain, selector, result }) =>
      `<dkim>${element("domain", domain)}${element("selector", selector)}${element("result", result)}</dkim>`,
  );
  const spf = auth.spf
    ? `<spf>${element("domain", auth.spf.domain)}${element("scope", auth.spf.scope)}${element("result", auth.spf.result)}</spf>`
    : "";
  return [
    "<record><row>",
    element("source_ip", row.source),
    element("count", number),
    `<policy_evaluated>${element("disposition", row.disposition)}${element("dkim", row.dkim)}${element("spf", row.spf)}${reason}</policy_evaluated>`,
    "</row><identifiers>",
    ...(row.envelopeFrom === "" ? [] : [element("envelope_from", row.envelopeFrom)]),
    element("header_from", row.headerFrom),
    `</identifiers><auth_results>${dkim.join("")}${spf}</auth_results></record>`,
  ].join("");
}

/** RFC 9990 §3, and RFC 7489 appendix C as others still send it. Throws BadReport. */
export function parseDmarcReport(text: string): ParsedReport {
  const root = readXml(text);
  if (root.name !== "feedback") throw new BadReport("XML that is no DMARC report");
  const metadata = child(root, "report_metadata");
  const published = child(root, "policy_published");
  const range = child(metadata, "date_range");
  const [begin, end] = [Number(textIn(range, "begin") || "x"), Number(textIn(range, "end") || "x")];
  const [domain, reportId] = [short(textIn(published, "domain")).toLowerCase(), short(textIn(metadata, "report_id"))];
  if (domain === "" || reportId === "" || !isSecond(begin) || !isSecond(end)) {
    throw new BadReport("a DMARC report without domain, id or dates");
  }
  const records = childrenOf(root, "record");
  if (records.length > maxRows) throw new BadReport("a DMARC report with too many rows");
  const policy = Object.fromEntries(published!.children.map(({ name, text: value }) => [name, short(value.trim())]));
  return {
    ...{ kind: "dmarc", domain, reportId, organization: short(textIn(metadata, "org_name")) },
    ...{ begins: new Date(begin * 1_000), ends: new Date(end * 1_000), policy },
    rows: records.flatMap((one) => rowOf(one) ?? []),
  };
}

function rowOf(one: XmlElement): ParsedReport["rows"][number] | undefined {
  const row = child(one, "row");
  const evaluated = child(row, "policy_evaluated");
  const identifiers = child(one, "identifiers") ?? child(one, "identities");
  const [source, number] = [textIn(row, "source_ip"), Number(textIn(row, "count"))];
  if (isIP(source) === 0 || !Number.isSafeInteger(number) || number < 1) return undefined;
  const [dkim, spf] = [textIn(evaluated, "dkim"), textIn(evaluated, "spf")].map((text) => text.toLowerCase());
  const results = child(one, "auth_results");
  return {
    ...{ source, number, result: dkim === "pass" || spf === "pass" ? "pass" : "fail" },
    what: {
      ...{ disposition: short(textIn(evaluated, "disposition")), dkim: short(dkim!), spf: short(spf!) },
      reasons: childrenOf(evaluated, "reason").map((reason) =>
        short(`${textIn(reason, "type")} ${textIn(reason, "comment")}`),
      ),
      headerFrom: short(textIn(identifiers, "header_from")),
      envelopeFrom: short(textIn(identifiers, "envelope_from")),
      auth: (["dkim", "spf"] as const).flatMap((method) =>
        childrenOf(results, method)
          .slice(0, 20)
          .map((of) => ({ method, domain: short(textIn(of, "domain")), result: short(textIn(of, "result")) })),
      ),
    },
  };
}

/** Some reports have milliseconds or text there. */
const isSecond = (value: number) => Number.isSafeInteger(value) && value > 0 && value < 10_000_000_000;

const short = (text: string) => text.replaceAll("\0", "").slice(0, 500);
