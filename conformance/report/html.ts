import { readFileSync } from "node:fs";
import type { Level } from "../runner/define.ts";
import type { Exchange } from "../runner/recorder.ts";
import { bySection, count, type RunResult, type TestResult } from "../runner/result.ts";
import { escaped } from "./escaped.ts";
import { rfcNumber, rfcTitle, sectionTitle } from "./titles.ts";

const style = readFileSync(new URL("html.css", import.meta.url), "utf8");
const script = readFileSync(new URL("html-filter.js", import.meta.url), "utf8");
/** Of each body; the whole stands in the JSON. */
const maxBodyLength = 6000;

type Row = Pick<TestResult, "name" | "rfc" | "section" | "says" | "level"> & { cells: (TestResult | undefined)[] };

/** One page with nothing outside it; each run is a column. */
export function html(runs: readonly RunResult[]): string {
  const all = rows(runs);
  const servers = runs.map(({ server }) => escaped(server));
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><title>JMAP conformance: ${servers.join(", ")}</title>
<style>${style}</style></head><body style="--columns: ${runs.length}">
<h1>JMAP conformance</h1>
<p class="about">${all.length} tests, each of one sentence of the RFCs. A failed MUST breaks the standard; a SHOULD is advice, and a MAY is left to the server.
Skipped is what a server does not offer, or what the run was not given. Open a section for its tests, and a failure for what was said.</p>
${overview(runs)}
<form class="filter"><select id="show" aria-label="which tests">
<option value="all">all tests</option><option value="fail">failures</option>${runs.length > 1 ? '<option value="differs">differences</option>' : ""}<option value="skip">skipped</option>
</select> <input id="find" type="search" placeholder="words of a test" aria-label="words of a test"> <output id="shown"></output></form>
<div class="row head"><span></span>${servers.map((server) => `<b>${server}</b>`).join("")}</div>
${[...Map.groupBy(all, ({ rfc }) => rfc)].map(([rfc, list]) => document(rfc, list, runs)).join("\n")}
<script>${script}</script></body></html>
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
  return [...bySection([...found.values()]).values()].flat();
}

function overview(runs: readonly RunResult[]): string {
  const line = (label: string, cell: (run: RunResult) => string): string =>
    `<tr><th scope="row">${label}</th>${runs.map((run) => `<td>${cell(run)}</td>`).join("")}</tr>`;
  const level = (name: Level): string => line(name, ({ results }) => share(results, name));
  return `<table class="overview"><thead><tr><td></td>${runs
    .map(({ server }) => `<th scope="col">${escaped(server)}</th>`)
    .join("")}</tr></thead><tbody>
${level("MUST")}${level("SHOULD")}${level("MAY")}
${line("skipped", ({ results }) => String(count(results).skip))}
${line("run", ({ started, ms }) => `${escaped(started.slice(0, 16).replace("T", " "))} UTC, ${Math.round(ms / 1000)} s`)}
</tbody></table>`;
}

/** How many passed, in the colour of the worst failure, and a bar of it. */
function share(results: readonly TestResult[], level?: Level): string {
  const { pass, fail } = count(results, level);
  const run = pass + fail;
  if (run === 0) return '<span class="skip">–</span>';
  const failed = results.filter((one) => one.outcome === "fail" && (!level || one.level === level));
  const kind = fail === 0 ? "pass" : failed.some((one) => one.level === "MUST") ? "fail MUST" : "fail";
  // Rounded down: only all is 100 %.
  const percent = Math.floor((1000 * pass) / run) / 10;
  const small = level ? ` <small>${percent} %</small>` : "";
  const text = fail === 0 && !level ? `${pass}` : `${pass} of ${run}`;
  const bar = level || fail > 0 ? `<i style="--part: ${percent}%"></i>` : "";
  return `<span class="share ${kind}">${text}${small}${bar}</span>`;
}

function sums(list: readonly Row[], runs: readonly RunResult[]): string {
  return runs.map((_, column) => share(list.flatMap(({ cells }) => cells[column] ?? []))).join("");
}

function document(rfc: string, list: readonly Row[], runs: readonly RunResult[]): string {
  const groups = [...Map.groupBy(list, ({ section }) => section)];
  return `<section><h2 class="row"><span>${escaped(rfcNumber(rfc))} <small>${escaped(rfcTitle(rfc))}</small></span>${sums(list, runs)}</h2>
${groups
  .map(([section, tests]) => {
    const title = `§${section} <small>${escaped(sectionTitle(rfc, section))}</small>`;
    return `<details class="section"><summary class="row"><span>${title}</span>${sums(tests, runs)}</summary>
${tests.map((row) => test(row, runs)).join("\n")}</details>`;
  })
  .join("\n")}</section>`;
}

function test({ name, says, level, cells }: Row, runs: readonly RunResult[]): string {
  const outcomes = new Set(cells.map((cell) => cell?.outcome));
  const kinds = ["test", ...["fail", "skip"].filter((kind) => outcomes.has(kind as TestResult["outcome"]))];
  if (outcomes.size > 1) kinds.push("differs");
  const marks = cells.map((cell) => {
    if (!cell) return '<span class="skip">–</span>';
    return `<span class="${cell.outcome === "fail" ? `fail ${level}` : cell.outcome}">${cell.outcome}</span>`;
  });
  const notes = cells.map((cell, at) => (cell ? note(cell, runs.length > 1 ? runs[at]?.server : undefined) : ""));
  return `<article class="${kinds.join(" ")}" id="${escaped(name)}"><div class="row"><span class="what">${escaped(says)}<br><code>${escaped(name)}</code></span>${marks.join("")}</div>${notes.join("")}</article>`;
}

/** Why a test failed or was skipped. */
function note({ outcome, level, message = "", exchanges = [] }: TestResult, server?: string): string {
  if (outcome === "pass") return "";
  const text = `${server === undefined ? "" : `<b>${escaped(server)}</b> `}${escaped(message)}`;
  if (outcome === "skip") return `<p class="skip">${text}</p>`;
  if (exchanges.length === 0) return `<p class="failure ${level}">${text}</p>`;
  return `<details class="failure ${level}"><summary>${text}</summary>${exchanges
    .map((one, at) => exchange(one, at === exchanges.length - 1))
    .join("")}</details>`;
}

function exchange({ user, times, request, requestBody = "", response, responseBody }: Exchange, open: boolean): string {
  const part = (head: string, body: string | undefined): string =>
    head === "" && !body
      ? "<span></span>"
      : `<pre>${escaped([head, shortened(body)].filter(Boolean).join("\n\n"))}</pre>`;
  const methods = [...requestBody.matchAll(/\[\s*"([A-Z]\w*\/\w+)",/g)].map(([, method]) => method);
  const [first = ""] = request.split("\n", 1);
  const status = response.startsWith("HTTP ") ? `→ ${response.split("\n", 1)[0]}` : "";
  const again = times === undefined ? "" : `(${times} times alike, this is the last)`;
  const title = [user && `${user}:`, first, methods.join(", "), status, again].filter(Boolean).join("  ");
  return `<details class="exchange"${open ? " open" : ""}><summary>${escaped(title)}</summary><div>${part(request, requestBody)}${part(response, responseBody)}</div></details>`;
}

function shortened(body: string | undefined): string | undefined {
  return body && body.length > maxBodyLength ? `${body.slice(0, maxBodyLength)}…` : body;
}
