import { execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { tableOf } from "../src/cli/command-table.ts";
import { completions } from "../src/cli/completion.ts";
import { manPage } from "../src/cli/man.ts";
import { makeProgram } from "../src/cli/program.ts";
import { until } from "./support/ports.ts";

const table = tableOf(makeProgram());
const folder = mkdtempSync(join(tmpdir(), "posthorn-shells-"));
const pathOf = (shell: string) => join(folder, `posthorn.${shell}`);

beforeAll(() => {
  for (const shell of ["bash", "zsh", "fish"] as const) writeFileSync(pathOf(shell), completions[shell](table));
  writeFileSync(join(folder, "some-file.pem"), "");
});
afterAll(() => rmSync(folder, { recursive: true }));

const isMissing = (program: string) => spawnSync(program, ["--version"]).error !== undefined;

/** A real shell at a real terminal. `posthorn` there prints its arguments. */
async function typed(shell: "bash" | "zsh", keys: string): Promise<string> {
  const starts = {
    bash: { command: "bash --norc --noprofile -i", first: "" },
    zsh: { command: "zsh -f -i", first: "autoload -Uz compinit; compinit -u -D\n" },
  }[shell];
  const env = { ...process.env, TERM: "dumb", PS1: "$ ", HOME: folder, ZDOTDIR: folder };
  const child = spawn("script", ["-qec", starts.command, "/dev/null"], { cwd: folder, env, stdio: "pipe" });
  let output = "";
  child.stdout.on("data", (text: Buffer) => {
    output += text.toString();
  });
  try {
    child.stdin.write(
      `${starts.first}posthorn() { printf 'GOT<%s>\\n' "$*"; }\nsource ./posthorn.${shell}\necho RE''ADY\n`,
    );
    await until("the shell", async () => output.includes("READY\r\n"), { timeoutMs: 15_000, everyMs: 50 });
    child.stdin.write(`${keys}\n`);
    return await until("its answer", async () => /^GOT<(.*)>/m.exec(output.replaceAll("\r", ""))?.[1], {
      timeoutMs: 10_000,
      everyMs: 50,
    }).catch((error: Error) => {
      throw new Error(`${error.message}\n${output}`);
    });
  } finally {
    child.kill("SIGKILL");
  }
}

/** What is typed, and what the command then gets. */
const lines: [keys: string, got: string][] = [
  ["posthorn acc\tli\t", "account list"],
  ["posthorn queue sh\tq7k2 --js\t", "queue show q7k2 --json"],
  ["posthorn serve --tls-c\tsome\t", "serve --tls-cert some-file.pem"],
  ["posthorn check --data som\t--dns-o\t", "check --data some-file.pem --dns-only"],
  ["posthorn completion z\t", "completion zsh"],
];

describe.skipIf(isMissing("script"))("at a terminal", () => {
  test.each(lines)("bash completes %j", async (keys, got) => {
    expect((await typed("bash", keys)).trim()).toBe(got);
  });
  test.skipIf(isMissing("zsh")).each(lines)("zsh completes %j", async (keys, got) => {
    expect((await typed("zsh", keys)).trim()).toBe(got);
  });
});

test.skipIf(isMissing("script"))(
  "a terminal gets colours, unless NO_COLOR is set; what is no terminal gets none",
  () => {
    const main = fileURLToPath(new URL("../src/cli/main.ts", import.meta.url));
    const command = `${process.execPath} ${main} account list --data ${folder}/none`;
    // Nothing else of the environment: CI, TMUX and others change what Node takes a terminal for.
    const env = { PATH: process.env.PATH, HOME: folder, TERM: "xterm-256color" };
    const told = (more: Record<string, string>) =>
      spawnSync("script", ["-qec", command, "/dev/null"], { encoding: "utf8", env: { ...env, ...more } }).stdout;
    expect(told({})).toContain("\x1b[31mposthorn:\x1b[39m there is no database");
    expect(told({ NO_COLOR: "1" })).toContain("posthorn: there is no database");
    const [program, ...args] = command.split(" ");
    expect(spawnSync(program!, args, { encoding: "utf8", env }).stderr).toMatch(/^posthorn: there is no database/);
  },
);

test.skipIf(isMissing("fish"))("fish completes commands, options and files", () => {
  const offers = (line: string) => {
    const script = `source ${pathOf("fish")}; cd ${folder}; complete -C '${line}'`;
    return execFileSync("fish", ["-Nc", script], { encoding: "utf8", env: { ...process.env, HOME: folder } })
      .trim()
      .split("\n")
      .map((offer) => offer.split("\t")[0]);
  };
  expect(offers("posthorn account ")).toEqual(
    ["add", "erase", "list", "name", "passwd", "quota", "remove", "second-factor", "share"].sort(),
  );
  expect(offers("posthorn queue show q7k2 --js")).toEqual(["--json"]);
  expect(offers("posthorn serve --tls-cert some")).toEqual(["some-file.pem"]);
  expect(offers("posthorn completion ")).toEqual(["bash", "fish", "zsh"]);
});

test("every command and option of the table is in each script, and each script is in its shell's syntax", () => {
  for (const shell of ["bash", "zsh", "fish"] as const) {
    const script = readFileSync(pathOf(shell), "utf8");
    for (const { path, options } of table) {
      for (const word of path) expect(script).toContain(word);
      for (const { names } of options) for (const name of names) expect(script).toContain(name.replace(/^-+/, ""));
    }
    if (!isMissing(shell)) expect(spawnSync(shell, ["-n", pathOf(shell)], { encoding: "utf8" }).stderr).toBe("");
  }
});

describe("the manual page", () => {
  const page = fileURLToPath(new URL("../packaging/posthorn.1", import.meta.url));

  test("is up to date: npm run -s posthorn -- man > packaging/posthorn.1", () => {
    expect(readFileSync(page, "utf8")).toBe(manPage(table));
  });

  test.skipIf(isMissing("man"))("is read by man without a warning, and has every command and option", () => {
    const options = { encoding: "utf8", env: { ...process.env, MANWIDTH: "1000", LC_ALL: "C.UTF-8" } } as const;
    const { stdout, stderr } = spawnSync("man", ["--warnings", "-l", page], options);
    expect(stderr).toBe("");
    const text = stdout.replace(/.\x08/g, "");
    for (const command of table.filter(({ below }) => below.length === 0)) {
      expect(text).toContain(`posthorn ${[...command.path, command.args].join(" ").trim().replaceAll("…", "...")}`);
      for (const { names } of command.options) expect(text).toContain(names.at(-1));
    }
  });
});
