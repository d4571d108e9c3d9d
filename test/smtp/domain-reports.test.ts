import { gunzipSync, gzipSync } from "node:zlib";
import { simpleParser } from "mailparser";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { listReports, showReport, topReports } from "../../src/admin/reports.ts";
import { countDmarc, countTls } from "../../src/cli/reporting.ts";
import { type DmarcCounted, dmarcReport, parseDmarcReport } from "../../src/mail/reports/dmarc-report.ts";
import { keepReports, takesReports } from "../../src/mail/reports/receive-report.ts";
import { ReportCounts } from "../../src/mail/reports/report-counts.ts";
import { ReportSender } from "../../src/mail/reports/report-sender.ts";
import { type TlsCounted, tlsReport } from "../../src/mail/reports/tls-report.ts";
import { summarise } from "../../src/mime/summary.ts";
import type { DmarcSeen } from "../../src/smtp/inbound/authenticate.ts";
import type { TlsSession } from "../../src/smtp/outbound/tls-policy/find-tls-rules.ts";
import { deliver } from "../support/smtp-client.ts";
import { zipOf } from "../support/zip.ts";
import { host, sink, useOutbox } from "./outbox.ts";

const dayMs = 86_400_000;
const posted: { url: string; headers: Record<string, string>; body: Buffer }[] = [];
let status = 201;
let counts: ReportCounts;
let sender: ReportSender;

useOutbox();
beforeAll(async () => {
  await host.account("postmaster@here.test");
  const { store, blobs, database, clock, log, dns } = host;
  counts = new ReportCounts({ database, clock, log });
  sender = new ReportSender({
    ...{ store, blobs, clock, log, resolver: dns.resolver(), hostname: "mx.here.test", from: "postmaster@here.test" },
    random: (length) => Buffer.alloc(length, 1),
    post: async (url, headers, body) => {
      posted.push({ url, headers, body });
      return { status };
    },
  });
});
beforeEach(async () => {
  posted.length = 0;
  status = 201;
  host.clock.ahead = 0;
  for (const table of ["report_count", "sent_report", "received_report"]) await host.rows(`DELETE FROM ${table}`);
});

const session: TlsSession = {
  domain: "far.test",
  policy: { type: "no-policy-found", strings: [], mx: [] },
  server: { name: "mx.far.test", address: "127.0.0.1", port: 25 },
  fault: undefined,
};
const today = () => host.clock.now().toISOString().slice(0, 10);

/** What was seen of a mail in the name of a domain. */
const seen = (record: string): DmarcSeen => ({
  verdict: { domain: "mail.far.test", result: "fail", policy: "none", aligned: { spf: false, dkim: false } },
  published: { domain: "far.test", record },
  sender: { mailFrom: "x@other.test", helo: "other.test", address: "192.0.2.9" },
  disposition: "none",
  found: { dkim: [], spf: { domain: "other.test", result: "pass" } },
});
const nextDay = () => {
  host.clock.ahead += dayMs;
};

describe("reports that are sent", () => {
  test("of TLS go by mail and HTTPS on the next day, once, whoever counted", async () => {
    host.dns.set("_smtp._tls.far.test", "TXT", "v=TLSRPTv1; rua=mailto:tls@far.test,https://reports.far.test/v1");
    const other = new ReportCounts(host);
    const fault = { result: "certificate-expired", words: "CERT_HAS_EXPIRED" } as const;
    countTls(counts, session);
    countTls(counts, { ...session, fault });
    countTls(other, session);
    const day = today();
    await Promise.all([counts.write(), other.close()]);
    await sender.run();
    expect(posted).toEqual([]);
    nextDay();
    await Promise.all([sender.run(), sender.run()]);
    await sender.run();
    expect(posted).toMatchObject([
      { url: "https://reports.far.test/v1", headers: { "content-type": "application/tlsrpt+gzip" } },
    ]);
    const json = JSON.parse(gunzipSync(posted[0]!.body).toString());
    expect(json).toMatchObject({
      ...{ "organization-name": "mx.here.test", "contact-info": "postmaster@here.test" },
      "date-range": { "start-datetime": `${day}T00:00:00Z` },
      policies: [{ summary: { "total-successful-session-count": 2, "total-failure-session-count": 1 } }],
    });
    const [mail, ...more] = await sink.waitFor(1);
    expect(more).toEqual([]);
    expect([mail!.from, mail!.to]).toEqual(["postmaster@here.test", ["tls@far.test"]]);
    const { headers, attachments, subject } = await simpleParser(mail!.raw);
    expect(subject).toBe(`Report Domain: far.test Submitter: mx.here.test Report-ID: <${json["report-id"]}>`);
    expect(mail!.raw.toString()).toMatch(/^DKIM-Signature: [\s\S]*d=here\.test;/m);
    expect(mail!.raw.toString()).toMatch(/^Content-Type: multipart\/report;[\s\S]*report-type="?tlsrpt/m);
    expect(headers.get("tls-report-domain")).toBe("far.test");
    expect(attachments).toMatchObject([{ contentType: "application/tlsrpt+gzip" }]);
    expect(attachments[0]!.filename).toMatch(/^mx\.here\.test!far\.test!\d+!\d+!.*\.json\.gz$/);
    expect(JSON.parse(gunzipSync(attachments[0]!.content).toString())).toEqual(json);
    expect(await host.rows("SELECT * FROM report_count")).toEqual([]);
  });

  test("of DMARC go to the addresses that want them, to another domain's only if it agrees", async () => {
    const record =
      "v=DMARC1; p=none; rua=mailto:d@far.test,mailto:d@other.test!10k,mailto:d@third.test,mailto:d@far.test!1";
    host.dns.set("_dmarc.far.test", "TXT", record);
    host.dns.set("far.test._report._dmarc.other.test", "TXT", "v=DMARC1;");
    countDmarc(counts, seen(record));
    countDmarc(counts, seen(record));
    countDmarc(counts, seen("v=DMARC1; p=none"));
    await counts.write();
    nextDay();
    await sender.run();
    const mails = await sink.waitFor(2);
    expect(mails.map(({ to }) => to[0]).sort()).toEqual(["d@far.test", "d@other.test"]);
    const { attachments } = await simpleParser(mails[0]!.raw);
    expect(attachments[0]!.filename).toMatch(/^mx\.here\.test!far\.test!\d+!\d+!.*\.xml\.gz$/);
    expect(parseDmarcReport(gunzipSync(attachments[0]!.content).toString())).toMatchObject({
      ...{ domain: "far.test", organization: "mx.here.test", policy: { p: "none" } },
      rows: [{ source: "192.0.2.9", result: "fail", number: 2, what: { headerFrom: "mail.far.test" } }],
    });
  });

  test("are tried again when nobody took them, and given up after some days", async () => {
    host.dns.set("_smtp._tls.far.test", "TXT", "v=TLSRPTv1; rua=https://reports.far.test/v1");
    countTls(counts, session);
    await counts.write();
    nextDay();
    status = 503;
    await sender.run();
    await sender.run();
    expect(posted).toHaveLength(1);
    host.clock.ahead += 2 * 3_600_000;
    host.dns.fail("_smtp._tls.far.test", "SERVFAIL");
    await sender.run();
    expect(posted).toHaveLength(1);
    host.dns.fail("_smtp._tls.far.test", undefined);
    host.clock.ahead += 2 * 3_600_000;
    status = 200;
    await sender.run();
    expect(posted).toHaveLength(2);
    // What comes late, for a day that was reported, is not sent and goes with it.
    host.clock.ahead -= dayMs;
    countTls(counts, session);
    await counts.write();
    host.clock.ahead += dayMs + 2 * 3_600_000;
    await sender.run();
    expect(posted).toHaveLength(2);
    countTls(counts, session);
    await counts.write();
    host.clock.ahead += 6 * dayMs;
    await sender.run();
    expect(posted).toHaveLength(2);
    expect(await host.rows("SELECT * FROM report_count")).toEqual([]);
  });

  test("are of mail as it came in", async () => {
    host.dns.set("_dmarc.far.test", "TXT", "v=DMARC1; p=none; rua=mailto:d@far.test");
    host.dns.set("sender.test", "TXT", "v=spf1 ip4:127.0.0.1 -all");
    await host.listen({ onDmarc: (one) => countDmarc(counts, one) });
    const data = "From: a@mail.far.test\r\nTo: ada@here.test\r\nSubject: x\r\n\r\nx\r\n";
    await deliver({ port: host.smtpPort, from: "b@sender.test", to: "ada@here.test", data });
    await counts.write();
    const [row] = await host.rows("SELECT domain, what FROM report_count WHERE kind = 'dmarc'");
    expect(row).toMatchObject({
      domain: "far.test",
      what: {
        ...{ source: "127.0.0.1", disposition: "none", dkim: "fail", spf: "fail", headerFrom: "mail.far.test" },
        ...{ envelopeFrom: "sender.test", policy: { p: "none" } },
        auth: { dkim: [], spf: { domain: "sender.test", result: "pass", scope: "mfrom" } },
      },
    });
  });
});

/** A mail with an attachment. */
function carrying(name: string, type: string, bytes: Buffer): Buffer {
  return Buffer.from(
    `From: reports@big.test\r\nTo: postmaster@here.test\r\nSubject: Report\r\nMIME-Version: 1.0\r\n` +
      `Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nReport\r\n--b\r\nContent-Type: ${type}; name="${name}"\r\n` +
      `Content-Transfer-Encoding: base64\r\n\r\n${bytes.toString("base64").replace(/.{76}/g, "$&\r\n")}\r\n--b--\r\n`,
  );
}
const keep = (mail: Buffer) => keepReports(mail, summarise(mail), host);
const all = { kind: undefined, domain: undefined, days: 7, limit: 10 };

describe("reports that come", () => {
  const dmarc: DmarcCounted = {
    ...{ policy: { p: "none" }, source: "192.0.2.1", disposition: "none", dkim: "fail", spf: "fail", reason: null },
    ...{ headerFrom: "here.test", envelopeFrom: "", auth: { dkim: [], spf: null } },
  };
  const reportOf = (domain: string, reportId: string, number: number) =>
    dmarcReport({ domain, day: today(), organization: "Big", contact: "x@big.test", reportId }, [
      { what: dmarc as unknown as Record<string, unknown>, number },
      { what: { ...dmarc, source: "192.0.2.2", spf: "pass" } as unknown as Record<string, unknown>, number: 1 },
    ]);

  test("are kept once, listed, shown and summed up; those of other domains are not", async () => {
    const first = carrying("a.xml.gz", "application/gzip", gzipSync(reportOf("here.test", "1", 3)));
    await keep(first);
    await keep(first);
    await keep(carrying("a.zip", "application/zip", zipOf("a.xml", Buffer.from(reportOf("here.test", "2", 4)))));
    await keep(carrying("a.xml", "text/xml", Buffer.from(reportOf("other.test", "3", 5))));
    const listed = await listReports(host, all);
    expect(listed).toMatchObject([
      { kind: "dmarc", domain: "here.test", organization: "Big", sender: "reports@big.test", passed: 1 },
      { kind: "dmarc", domain: "here.test" },
    ]);
    expect(listed.map(({ failed }) => failed).sort()).toEqual([3, 4]);
    expect(await topReports(host, { ...all, kind: "dmarc" })).toEqual([
      { kind: "dmarc", domain: "here.test", source: "192.0.2.1", result: "fail", number: 7, reports: 2 },
      { kind: "dmarc", domain: "here.test", source: "192.0.2.2", result: "pass", number: 2, reports: 2 },
    ]);
    const shown = await showReport(host, listed[0]!.id);
    expect(shown.rows).toHaveLength(2);
    await expect(showReport(host, "none")).rejects.toThrow("noReport");
    expect(await topReports(host, { ...all, domain: "other.test" })).toEqual([]);
    host.clock.ahead = 8 * dayMs;
    expect(await listReports(host, all)).toEqual([]);
  });

  test("may be large", async () => {
    const xml = reportOf("here.test", "5", 1);
    const row = /<record>.*<\/record>/.exec(xml)![0];
    await keep(carrying("a.xml.gz", "application/gzip", gzipSync(xml.replace(row, row.repeat(3_000)))));
    expect(await listReports(host, all)).toMatchObject([{ passed: 1, failed: 3_000 }]);
    await keep(carrying("a.xml.gz", "application/gzip", gzipSync(`${xml}${" ".repeat(400_000)}<`)));
    expect(await listReports(host, all)).toHaveLength(1);
  });

  test("may be of TLS", async () => {
    const counted: TlsCounted = { policy: { type: "sts", strings: [], mx: [] }, fault: null };
    const head = { domain: "here.test", day: today(), organization: "Big", contact: "x@big.test", reportId: "9" };
    const json = tlsReport(head, [{ what: counted as unknown as Record<string, unknown>, number: 12 }]);
    await keep(carrying("a.json.gz", "application/tlsrpt+gzip", gzipSync(json)));
    expect(await listReports(host, { ...all, kind: "tls" })).toMatchObject([
      { domain: "here.test", passed: 12, failed: 0 },
    ]);
  });

  test("that can't be read are logged and harm nothing", async () => {
    host.events.length = 0;
    await keep(carrying("a.gz", "application/gzip", gzipSync(Buffer.alloc(50_000_000))));
    await keep(carrying("a.xml", "text/xml", Buffer.from("<!DOCTYPE x><x/>")));
    await keep(carrying("a.zip", "application/zip", Buffer.from("PK\x03\x04")));
    await keep(carrying("a.pdf", "application/pdf", Buffer.from("x")));
    const words = host.events.filter(({ event }) => event.includes("no report"));
    expect(words).toHaveLength(3);
    expect(words.map(({ fields }) => (fields as { reason: string }).reason)).toEqual([
      expect.stringMatching(/can't be unpacked/),
      "XML with a DOCTYPE",
      expect.stringMatching(/zip|unpacked/),
    ]);
    expect(await listReports(host, all)).toEqual([]);
  });

  test.each([
    ["postmaster@here.test", true],
    ["dmarc-reports+x@here.test", true],
    ["tls-reports@here.test", true],
    ["ada@here.test", false],
    ["", false],
  ])("at %s: %j", (address, takes) => {
    expect(takesReports(address)).toBe(takes);
  });
});
