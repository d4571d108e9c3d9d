import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { Failure } from "./fail.ts";
import { paint } from "./paint.ts";

export function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function isTerminal(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

/** Asks on the terminal, without echoing the answer. */
export async function askSecret(question: string): Promise<string> {
  const mute = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: mute, terminal: true });
  // Ask only after echo is off: the terminal would show what is typed before.
  process.stderr.write(question);
  lines.once("SIGINT", () => {
    process.stderr.write("\n");
    process.exit(130);
  });
  try {
    return await lines.question("");
  } finally {
    lines.close();
    process.stderr.write("\n");
  }
}

/** The first line of standard input. */
export async function readSecret(): Promise<string> {
  let text = "";
  for await (const chunk of process.stdin.setEncoding("utf8")) text += chunk;
  const secret = text.split(/\r?\n/)[0]!;
  if (secret === "") throw new Failure("standard input has no password");
  return secret;
}

/** Asks before data is destroyed or something waits. Without a terminal it fails with `what` that does, and names --yes. */
export async function confirm(question: string, what = "this destroys data"): Promise<boolean> {
  if (!isTerminal()) throw new Failure(`${what}: confirm it with --yes`);
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await lines.question(`${question} [y/N] `)).trim());
  } finally {
    lines.close();
  }
}

/** Asks on the terminal; an empty answer is the usual one. */
export async function ask(question: string, usual = ""): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await lines.question(usual === "" ? `${question}: ` : `${question} [${usual}]: `);
    return answer.trim() || usual;
  } finally {
    lines.close();
  }
}

/** Prints the value as JSON if the command was asked to, else in words. */
export function answer({ options }: { options: Record<string, unknown> }, value: unknown, words: string): void {
  say(options.json ? JSON.stringify(value, null, 2) : words);
}

/** Aligns the columns; the first row is the heading, in capitals. */
export function table(rows: string[][]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  const [first = "", ...others] = lines;
  return [first === first.toUpperCase() ? paint("strong", first) : first, ...others].join("\n");
}
