import { readFileSync } from "node:fs";
import type { Exchange } from "../runner/recorder.ts";
import { bySection, count, type RunResult, type TestResult } from "../runner/result.ts";
import { escaped } from "./escaped.ts";

const style = readFileSync(new URL("html.css", import.meta.url), "utf8");

type Row = {
  name: string;
  rfc: string;
  section: string;
  says: string;
  level: string;
  cells: (TestResult | undefined)[];
};

/** One page with nothing outside it; each run is a column. */
export function html(runs: readonly RunResult[]): string {
  const sections = [...bySection(rows(runs))];
  const title = `JMAP conformance: ${runs.map(({ server }) => server).join(", ")}`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><title>${escaped(title)}</title><style>${style}</style></head><body>
<h1>JMAP conformance</h1>
${overview(runs)}
<p><label><input type="checkbox" id="only"> only what differs or fails</label></p>
${sections.map(([name, list]) => section(name, list, runs)).join("\n")}
<script>
only.onchange = () => document.body.classList.toggle("only", only.checked);
const reveal = () => { for (let e = document.getElementById(decodeURIComponent(location.hash.slice(1))); e; e = e.parentElement) if (e.tagName === "DETAILS") e.open = true; };
addEventListener("hashchange", reveal); reveal();
</script></body></html>
`;
}

function rows(runs: readonly RunResult[]): Row[] {
  const found = new Map<string, Row>();
  for (const [column, { results }] of runs.entries()) {
    for (const result of results) {
      const { name, rfc, section, says, level } = result;
      const row = found.get(name) ?? { name, rfc, section, says, level, cells: runs.map(() => undefined) };
      row.cells[column] = result;
      found.set(name, row);
    }
  }
  return [...found.values()];
}

function overview(runs: readonly RunResult[]): string {
  const line = (label: string, cell: (run: RunResult) => string): string =>
    `<tr><th scope="row">${label}</th>${runs.map((run) => `<td>${cell(run)}</td>`).join("")}</tr>`;
  const level = (name: "MUST" | "SHOULD" | "MAY"): string =>
    line(name, ({ results }) => {
      const { pass, fail } = count(results, name);
      const share = pass + fail === 0 ? "" : ` <small>${((100 * pass) / (pass + fail)).toFixed(1)}%</small>`;
      return `<span class="${fail > 0 ? `fail ${name}` : "pass"}">${pass} of ${pass + fail}</span>${share}`;
    });
  return `<table class="overview"><thead><tr><td></td>${runs
    .map(({ server }) => `<th scope="col">${escaped(server)}</th>`)
    .join("")}</tr></thead><tbody>
${level("MUST")}${level("SHOULD")}${level("MAY")}
${line("skipped", ({ results }) => String(count(results).skip))}
${line("when", ({ started, ms }) => `${escaped(started.slice(0, 16).replace("T", " "))} UTC, ${(ms / 1000).toFixed(1)} s`)}
</tbody></table>`;
}

function section(name: string, list: readonly Row[], runs: readonly RunResult[]): string {
  const quiet = list.every(isQuiet);
  const sums = runs.map((_, column) => {
    const { pass, fail } = count(list.flatMap(({ cells }) => cells[column] ?? []));
    return `<span class="sum ${fail > 0 ? "fail" : "pass"}">${pass}${fail > 0 ? `, ${fail} failed` : ""}</span>`;
  });
  return `<details class="section${quiet ? " quiet" : ""}"${quiet ? "" : " open"}><summary>${escaped(name)} ${sums.join(" ")}</summary>
<table><thead><tr><th scope="col">test</th>${runs.map(({ server }) => `<th scope="col">${escaped(server)}</th>`).join("")}</tr></thead>
<tbody>${list.map((row) => testRow(row, runs)).join("\n")}</tbody></table></details>`;
}

/** All servers alike, and none fails. */
function isQuiet({ cells }: Row): boolean {
  return new Set(cells.map((cell) => cell?.outcome)).size === 1 && cells[0]?.outcome !== "fail";
}

function testRow(row: Row, runs: readonly RunResult[]): string {
  const cells = row.cells.map((cell) => {
    if (!cell) return "<td>–</td>";
    const kind = cell.outcome === "fail" ? `fail ${row.level}` : cell.outcome;
    const hint = cell.outcome === "skip" ? ` title="${escaped(cell.message ?? "")}"` : "";
    return `<td class="${kind}"${hint}>${cell.outcome}</td>`;
  });
  const failures = row.cells.flatMap((cell, at) =>
    cell?.outcome === "fail" ? [failure(cell, (runs[at] as RunResult).server)] : [],
  );
  const quiet = isQuiet(row) ? ' class="quiet"' : "";
  const name = `<code>${escaped(row.name)}</code><br><small>${escaped(row.says)}</small>`;
  return `<tr${quiet} id="${escaped(row.name)}"><td>${name}${failures.join("")}</td>${cells.join("")}</tr>`;
}

function failure({ message = "", exchanges = [] }: TestResult, server: string): string {
  return `<details class="failure"><summary>${escaped(server)}: ${escaped(message)}</summary>${exchanges
    .map(exchange)
    .join("")}</details>`;
}

function exchange({ user, request, requestBody, response, responseBody }: Exchange): string {
  const part = (head: string, body: string | undefined): string =>
    head === "" && body === undefined ? "" : `<pre>${escaped([head, body].filter(Boolean).join("\n\n"))}</pre>`;
  const who = user ? `<p>${escaped(user)}</p>` : "";
  return `<div class="exchange">${who}${part(request, requestBody)}${part(response, responseBody)}</div>`;
}
