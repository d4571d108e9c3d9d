import type { Level } from "../runner/define.ts";
import { bySection, type Count, count, type TestResult } from "../runner/result.ts";

const levels: readonly Level[] = ["MUST", "SHOULD", "MAY"];

/** Progress: one line that is rewritten on a terminal, a line now and then elsewhere. Each failure gets its own line. */
export class Progress {
  readonly #out: NodeJS.WriteStream;
  readonly #tty: boolean;
  #failed = 0;

  constructor(out: NodeJS.WriteStream = process.stderr) {
    this.#out = out;
    this.#tty = Boolean(out.isTTY);
  }

  result(result: TestResult, done: number, total: number): void {
    if (result.outcome === "fail") {
      this.#failed++;
      this.#line(`FAIL ${result.name}  ${firstLine(result.message)}`);
    }
    if (this.#tty) this.#over(`${done}/${total}  ${this.#failed} failed  ${result.name}`);
    else if (done % 50 === 0 || done === total) this.#line(`${done}/${total} tests, ${this.#failed} failed`);
  }

  #line(text: string): void {
    if (this.#tty) this.#out.write("\r\u001b[K");
    this.#out.write(`${text}\n`);
  }

  #over(text: string): void {
    const width = (this.#out.columns || 80) - 1;
    this.#out.write(`\r\u001b[K${text.length > width ? text.slice(0, width) : text}`);
  }

  end(): void {
    if (this.#tty) this.#out.write("\r\u001b[K");
  }
}

function firstLine(text = ""): string {
  const line = text.split("\n", 1)[0] as string;
  return line.length > 300 ? `${line.slice(0, 300)}…` : line;
}

/** A table by section, with a column for each level, and a last line of totals. */
export function summary(results: readonly TestResult[]): string {
  const rows = [...bySection(results)].map(([name, list]) => row(name, list));
  const total = row("all", results);
  const head = ["section", ...levels, "skipped"];
  const widths = head.map((_, at) => Math.max(...[head, ...rows, total].map((cells) => (cells[at] as string).length)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] as number) : cell.padStart(widths[at] as number)))
      .join("  ");
  return [line(head), ...rows.map(line), line(total)].join("\n");
}

function row(name: string, list: readonly TestResult[]): string[] {
  const skipped = count(list).skip;
  return [name, ...levels.map((level) => share(count(list, level))), skipped === 0 ? "" : String(skipped)];
}

function share({ pass, fail }: Count): string {
  if (pass + fail === 0) return "";
  return fail === 0 ? `${pass}` : `${pass} of ${pass + fail}`;
}
