import { describe, expect, test } from "vitest";
import { type DmarcCounted, dmarcReport, parseDmarcReport } from "./dmarc-report.ts";
import { BadReport } from "./unpack.ts";

const head = {
  ...{ domain: "bank.test", day: "2026-03-01", organization: "mx.here.test", contact: "postmaster@here.test" },
  reportId: "2026-03-01.ab",
};
const counted: DmarcCounted = {
  policy: { p: "reject", sp: "quarantine", adkim: "s" },
  source: "192.0.2.1",
  ...{ disposition: "quarantine", dkim: "fail", spf: "fail", headerFrom: "mail.bank.test", envelopeFrom: "list.test" },
  reason: { type: "local_policy", comment: "passed on by a list or a forwarder" },
  auth: {
    dkim: [{ domain: "list.test", selector: "s1", result: "pass" }],
    spf: { domain: "list.test", scope: "mfrom", result: "pass" },
  },
};
const passed: DmarcCounted = { ...counted, source: "2001:db8::1", disposition: "pass", dkim: "pass", reason: null };
const count = (what: DmarcCounted, number: number) => ({ what: what as unknown as Record<string, unknown>, number });

describe("a DMARC report of ours", () => {
  const xml = dmarcReport(head, [count(counted, 3), count(passed, 40)]);

  test("has the form of RFC 9990", () => {
    expect(xml).toMatch(
      /^<\?xml version="1.0" encoding="UTF-8"\?>\n<feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0">/,
    );
    expect(xml).toContain("<date_range><begin>1772323200</begin><end>1772409599</end></date_range>");
    expect(xml).toContain(
      "<domain>bank.test</domain>\n<p>reject</p>\n<sp>quarantine</sp>\n<adkim>s</adkim>\n<testing>n</testing>",
    );
    expect(xml).toContain(
      "<reason><type>local_policy</type><comment>passed on by a list or a forwarder</comment></reason>",
    );
  });

  test("is read as it was meant", () => {
    expect(parseDmarcReport(xml)).toMatchObject({
      ...{ kind: "dmarc", domain: "bank.test", organization: "mx.here.test", reportId: "2026-03-01.ab" },
      begins: new Date("2026-03-01T00:00:00Z"),
      ends: new Date("2026-03-01T23:59:59Z"),
      policy: { p: "reject", sp: "quarantine" },
      rows: [
        {
          ...{ source: "192.0.2.1", result: "fail", number: 3 },
          what: { disposition: "quarantine", headerFrom: "mail.bank.test", envelopeFrom: "list.test" },
        },
        { source: "2001:db8::1", result: "pass", number: 40 },
      ],
    });
  });

  test("has no markup of a peer's making", () => {
    const evil = { ...counted, envelopeFrom: "</record><x>&\u0001" };
    expect(parseDmarcReport(dmarcReport(head, [count(evil, 1)])).rows[0]!.what).toMatchObject({
      envelopeFrom: "</record><x>&",
    });
  });
});

const old = `<?xml version="1.0"?><feedback><report_metadata><org_name>Big Mail</org_name><email>x@big.test</email>
  <report_id>77</report_id><date_range><begin>1772323200</begin><end>1772409599</end></date_range></report_metadata>
  <policy_published><domain>Here.test</domain><p>none</p><pct>100</pct></policy_published>
  <record><row><source_ip>198.51.100.7</source_ip><count>2</count><policy_evaluated><disposition>none</disposition>
  <dkim>pass</dkim><spf>fail</spf></policy_evaluated></row><identifiers><header_from>here.test</header_from></identifiers>
  <auth_results><dkim><domain>here.test</domain><result>pass</result></dkim></auth_results></record>
  <record><row><source_ip>not one</source_ip><count>2</count></row></record></feedback>`;

describe("a DMARC report of others", () => {
  test("in the form of RFC 7489 is read; a row without an address is left out", () => {
    expect(parseDmarcReport(old)).toMatchObject({
      ...{ domain: "here.test", organization: "Big Mail", reportId: "77" },
      rows: [{ source: "198.51.100.7", result: "pass", number: 2 }],
    });
  });

  test.each([
    ["of another kind", "<html></html>"],
    ["without an id", old.replace("<report_id>77</report_id>", "")],
    ["without a domain", old.replace("<domain>Here.test</domain>", "")],
    ["without dates", old.replace("<begin>1772323200</begin>", "")],
    ["with a date that is none", old.replace("1772323200", "yesterday")],
  ])("%s is refused", (_, text) => {
    expect(() => parseDmarcReport(text)).toThrow(BadReport);
  });
});
