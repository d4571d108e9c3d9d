import { rfc8620 } from "./coverage/rfc8620.ts";
import { rfc8621 } from "./coverage/rfc8621.ts";
import { rfc8887 } from "./coverage/rfc8887.ts";
import { rfc9007 } from "./coverage/rfc9007.ts";
import { rfc9404 } from "./coverage/rfc9404.ts";
import { rfc9425 } from "./coverage/rfc9425.ts";
import { rfc9749 } from "./coverage/rfc9749.ts";
import type { Sentence } from "./coverage/sentence.ts";
import { pattern } from "./runner/pattern.ts";
import { compareSections } from "./runner/result.ts";

/** The sentences of each RFC. */
export const coverage: Readonly<Record<string, readonly Sentence[]>> = {
  rfc8620,
  rfc8621,
  rfc8887,
  rfc9007,
  rfc9404,
  rfc9425,
  rfc9749,
};

export type CoverageReport = { text: string; problems: string[] };

/** A table by section. A sentence that names a missing test, or neither test nor reason, is a problem. */
export function coverageReport(names: readonly string[]): CoverageReport {
  const lines = ["section           sentences  tested  not tested, with reason"];
  const problems: string[] = [];
  for (const [rfc, sentences] of Object.entries(coverage)) {
    const sections = Map.groupBy(sentences, ({ section }) => section);
    for (const section of [...sections.keys()].toSorted(compareSections)) {
      const list = sections.get(section) as Sentence[];
      const tested = list.filter(({ tests }) => tests !== undefined).length;
      const columns = [
        String(list.length).padStart(9),
        String(tested).padStart(6),
        String(list.length - tested).padStart(6),
      ];
      lines.push(`${`${rfc} §${section}`.padEnd(16)}  ${columns.join("  ")}`);
      for (const one of list) {
        problems.push(...problemsOf(rfc, one, names));
        if (one.why) lines.push(`    ${one.level} ${one.says}\n      not tested: ${one.why}`);
      }
    }
  }
  return { text: lines.join("\n"), problems };
}

function problemsOf(rfc: string, { section, says, tests, why }: Sentence, names: readonly string[]): string[] {
  const where = `${rfc} §${section} “${says}”`;
  if (!tests?.length && !why) return [`${where} has neither a test nor a reason`];
  return (tests ?? [])
    .filter((test) => !names.some((name) => fits(name, rfc, section, test)))
    .map((test) => `${where} names the test ${test}, which does not exist`);
}

/** A test of the same section is named by its id, another by `rfc/section/id`; `*` matches anything. */
function fits(name: string, rfc: string, section: string, test: string): boolean {
  const full = test.includes("/") ? test : `${rfc}/${section}/${test}`;
  return new RegExp(`^${pattern(full)}/(MUST|SHOULD|MAY)$`).test(name);
}
