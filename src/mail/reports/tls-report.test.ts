import { describe, expect, test } from "vitest";
import { parseTlsReport, type TlsCounted, tlsReport } from "./tls-report.ts";
import { BadReport } from "./unpack.ts";

const head = {
  ...{ domain: "far.test", day: "2026-03-01", organization: "mx.here.test", contact: "postmaster@here.test" },
  reportId: "2026-03-01.ab",
};
const policy = { type: "sts", strings: ["version: STSv1", "mode: testing"], mx: ["*.far.test"] };
const good: TlsCounted = { policy, fault: null };
const bad: TlsCounted = {
  policy,
  fault: { result: "certificate-expired", words: "CERT_HAS_EXPIRED", host: "mx.far.test", address: "192.0.2.1" },
};
const dane: TlsCounted = { policy: { type: "tlsa", strings: ["3 1 1 ab"], mx: [] }, fault: null };
const count = (what: TlsCounted, number: number) => ({ what: what as unknown as Record<string, unknown>, number });
const text = tlsReport(head, [count(good, 5), count(bad, 2), count(dane, 7)]);

describe("a TLS report", () => {
  test("has the form of RFC 8460 §4.4", () => {
    expect(JSON.parse(text)).toEqual({
      "organization-name": "mx.here.test",
      "date-range": { "start-datetime": "2026-03-01T00:00:00Z", "end-datetime": "2026-03-01T23:59:59Z" },
      "contact-info": "postmaster@here.test",
      "report-id": "2026-03-01.ab",
      policies: [
        {
          policy: {
            ...{ "policy-type": "sts", "policy-string": ["version: STSv1", "mode: testing"] },
            ...{ "policy-domain": "far.test", "mx-host": ["*.far.test"] },
          },
          summary: { "total-successful-session-count": 5, "total-failure-session-count": 2 },
          "failure-details": [
            {
              ...{ "result-type": "certificate-expired", "receiving-mx-hostname": "mx.far.test" },
              ...{ "receiving-ip": "192.0.2.1", "failed-session-count": 2, "failure-reason-code": "CERT_HAS_EXPIRED" },
            },
          ],
        },
        {
          policy: { "policy-type": "tlsa", "policy-string": ["3 1 1 ab"], "policy-domain": "far.test" },
          summary: { "total-successful-session-count": 7, "total-failure-session-count": 0 },
          "failure-details": [],
        },
      ],
    });
  });

  test("is read as it was meant", () => {
    expect(parseTlsReport(text)).toMatchObject([
      {
        ...{ kind: "tls", domain: "far.test", organization: "mx.here.test", reportId: "2026-03-01.ab" },
        rows: [
          { source: "", result: "success", number: 5, what: { policy: "sts" } },
          { source: "mx.far.test", result: "certificate-expired", number: 2, what: { to: "192.0.2.1" } },
          { source: "", result: "success", number: 7, what: { policy: "tlsa" } },
        ],
      },
    ]);
  });

  test.each([
    ["that is not JSON", text.slice(1)],
    ["without an id", text.replace('"report-id":"2026-03-01.ab",', "")],
    ["without dates", text.replace("2026-03-01T00:00:00Z", "")],
    ["without policies", JSON.stringify({ ...JSON.parse(text), policies: {} })],
    ["whose policy is none", JSON.stringify({ ...JSON.parse(text), policies: [null] })],
    ["that is a list", "[]"],
  ])("%s is refused", (_, bad) => {
    expect(() => parseTlsReport(bad)).toThrow(BadReport);
  });
});
