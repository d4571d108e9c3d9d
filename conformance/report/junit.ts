import { bySection, type RunResult, type TestResult } from "../runner/result.ts";
import { escaped } from "./escaped.ts";

/** An unmet SHOULD or MAY is `skipped` with its reason, so that only a MUST is a JUnit failure. */
export function junit({ server, started, results }: RunResult): string {
  const suites = [...bySection(results)].map(([section, list]) => {
    const broken = list.filter(isFailure).length;
    const skipped = list.filter((one) => one.outcome !== "pass" && !isFailure(one)).length;
    const counts = `tests="${list.length}" failures="${broken}" skipped="${skipped}" errors="0"`;
    const attributes = `name="${escaped(section)}" hostname="${escaped(server)}" timestamp="${started.slice(0, 19)}"`;
    return `  <testsuite ${attributes} ${counts}>\n${list.map(testcase).join("\n")}\n  </testsuite>`;
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${suites.join("\n")}\n</testsuites>\n`;
}

function isFailure({ outcome, level }: TestResult): boolean {
  return outcome === "fail" && level === "MUST";
}

function testcase(result: TestResult): string {
  const { name, rfc, section, level, message = "", outcome, ms, says } = result;
  const open = `    <testcase classname="${escaped(`${rfc}.${section}`)}" name="${escaped(name)}" time="${ms / 1000}"`;
  if (outcome === "pass") return `${open}/>`;
  if (!isFailure(result)) {
    const reason = outcome === "fail" ? `${level} not met: ${message}` : message;
    return `${open}><skipped message="${escaped(reason)}"/></testcase>`;
  }
  const said = (result.exchanges ?? [])
    .map((one) => [one.request, one.requestBody, one.response, one.responseBody].filter(Boolean).join("\n"))
    .join("\n\n");
  return `${open}><failure type="${level}" message="${escaped(message)}">${escaped(`${says}\n\n${said}`)}</failure></testcase>`;
}
