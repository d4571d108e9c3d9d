import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { coverageReport } from "./coverage.ts";
import { hostAndPort } from "./options.ts";
import { summary } from "./report/console.ts";
import { judge, readExpected } from "./report/expected.ts";
import { html } from "./report/html.ts";
import { junit } from "./report/junit.ts";
import { sectionTitle } from "./report/titles.ts";
import { matches, methodError, same, sameMembers, setError } from "./runner/expect.ts";
import { bySection, type RunResult, type TestResult } from "./runner/result.ts";
import { tests } from "./tests.ts";

const result = (name: string, outcome: TestResult["outcome"], message?: string): TestResult => {
  const [rfc = "", section = "", , level = ""] = name.split("/");
  const about = { name, rfc, section, level: level as TestResult["level"], says: "it <b>says</b>", ms: 1500 };
  const exchanges = [{ request: "POST /api", response: "HTTP 200", requestBody: '{"a":"<&\u0001"}' }];
  return { ...about, outcome, ...(message && { message }), ...(outcome === "fail" && { exchanges }) };
};

const results = [
  result("rfc8620/5.10/z/MUST", "pass"),
  result("rfc8620/5.2/a/MUST", "fail", 'expected "<1>", got 2'),
  result("rfc8620/5.2/b/SHOULD", "fail", "not so good"),
  result("rfc8620/5.2/c/MUST", "skip", "not advertised"),
];
const run = (server: string): RunResult => {
  return { format: "jmap-conformance-1", server, url: "http://x", started: "2025-01-01T00:00:00.000Z", ms: 5, results };
};

test("every test has a unique and well-formed name", () => {
  const names = tests.map(({ name }) => name);
  expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
  for (const name of names) expect(name).toMatch(/^rfc\d+\/\d+(\.\d+)*\/[a-z][^/]*(\/[^/]*)*\/(MUST|SHOULD|MAY)$/);
});

test("every sentence of the coverage tables names tests that exist, or a reason", () => {
  expect(coverageReport(tests.map(({ name }) => name)).problems).toEqual([]);
});

test("sections are in the order of the text", () => {
  expect([...bySection(results).keys()]).toEqual(["rfc8620 §5.2", "rfc8620 §5.10"]);
  expect(summary(results)).toMatch(/rfc8620 §5\.2 +0 of 1 +0 of 1 +1\n/);
});

test("only a MUST is a JUnit failure", () => {
  const xml = junit(run("one"));
  expect(xml.match(/<failure /g)).toHaveLength(1);
  expect(xml.match(/<skipped /g)).toHaveLength(2);
  expect(xml).toContain('failures="1" skipped="2"');
  expect(xml).not.toContain("\u0001");
});

test("the HTML report shows servers side by side and loads nothing from the web", () => {
  const page = html([run("one & two"), { ...run("three"), results: results.slice(0, 1) }]);
  expect(page).toContain("one &amp; two");
  expect(page).toContain("it &lt;b&gt;says&lt;/b&gt;");
  expect(page).not.toMatch(/(src|href)=|@import|url\(/);
});

test("every tested section has a heading", () => {
  const sections = new Set(tests.map(({ rfc, section }) => `${rfc} ${section}`));
  const without = [...sections].filter((one) => sectionTitle(...(one.split(" ") as [string, string])) === "");
  expect(without).toEqual([]);
});

test("the HTML report says why a test failed or was skipped", () => {
  const page = html([run("one")]);
  expect(page).toContain("expected &quot;&lt;1&gt;&quot;, got 2");
  expect(page).toContain('<p class="skip">not advertised</p>');
});

test("known failures are distinguished from new ones", () => {
  const file = join(mkdtempSync(join(tmpdir(), "posthorn-conformance-")), "expected");
  writeFileSync(file, "# known\nrfc8620/5.2/a/MUST # since 1.0\n\nrfc8620/5.10/z/MUST\n");
  expect(judge(results, readExpected(file))).toEqual({
    newFailures: ["rfc8620/5.2/b/SHOULD"],
    unexpectedPasses: ["rfc8620/5.10/z/MUST"],
  });
});

test("hosts and ports are parsed, and invalid ones refused", () => {
  expect(hostAndPort("[::1]:25", "--smtp")).toEqual({ host: "::1", port: 25 });
  expect(() => hostAndPort("localhost", "--smtp")).toThrow("--smtp expects host:port");
});

test("failed assertions say what they expected", () => {
  expect(() => same({ a: 1, b: 2 }, { b: 2, a: 1 }, "x")).not.toThrow();
  expect(() => same([1, 2], [2, 1], "ids")).toThrow("ids: expected [2,1], got [1,2]");
  expect(() => sameMembers([1, 2], [2, 1], "ids")).not.toThrow();
  expect(() => matches({ a: { b: 1 }, c: 2 }, { a: { b: 1 } }, "x")).not.toThrow();
  expect(() => matches({ a: { b: 1 } }, { a: { b: 2 } }, "x")).toThrow("/a/b is 1");
  expect(() => setError({ m: { type: "notFound" } }, "m", "invalidProperties")).toThrow("notFound");
  expect(() => setError(null, "m", "notFound")).toThrow("expected a SetError");
  expect(() => methodError(["Core/echo", {}, "0"], "forbidden")).toThrow('expected the error "forbidden"');
});
