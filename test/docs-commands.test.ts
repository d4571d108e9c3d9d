import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sources } from "../site/pages.js";
import { freePorts } from "./support/ports.ts";
import { watch } from "./support/server.ts";

/**
 * Every block of shell commands in the documentation, run in a folder of its own: paths, ports and the password are put in,
 * and what would change the machine itself (users, units of systemd, a cluster) is told to work below that folder.
 */
const root = resolve(import.meta.dirname, "..");
const folder = mkdtempSync(join(tmpdir(), "posthorn-docs-"));
const clone = join(folder, "posthorn");
const data = join(folder, "data");
let [http, smtp, metrics] = [0, 0, 0];
let server: { child: ChildProcess; output: () => string };
let password = "";

interface Result {
  code: number;
  stdout: string;
  stderr: string;
}

const environment = () => ({
  PATH: process.env.PATH,
  HOME: folder,
  LANG: "C.UTF-8",
  POSTHORN_DATA: data,
  POSTHORN_HTTP: `127.0.0.1:${http}`,
  POSTHORN_SMTP: `127.0.0.1:${smtp}`,
  POSTHORN_METRICS: `127.0.0.1:${metrics}`,
  POSTHORN_RESOLVER: "127.0.0.1:1",
  // It would be built at each start.
  POSTHORN_WEB: "off",
});

/** The packages are those that are installed: `npm ci` for each block would take minutes. */
const installed = `npm() { case "$1" in ci) cp -al "${root}/node_modules" node_modules ;; *) command npm "$@" ;; esac; }`;
const posthorn = `posthorn() { "${root}/bin/posthorn.js" "$@"; }`;

function begin(script: string, cwd = folder): { child: ChildProcess; result: Promise<Result>; output: () => string } {
  const child = spawn("bash", ["-euc", script], {
    ...{ cwd, env: environment() },
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const out = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) child[name]!.on("data", (text) => (out[name] += String(text)));
  const result = new Promise<Result>((done) => child.on("close", (code) => done({ code: code ?? -1, ...out })));
  return { child, result, output: () => out.stdout + out.stderr };
}

async function run(script: string, cwd?: string): Promise<Result> {
  const result = await begin(script, cwd).result;
  if (result.code !== 0) throw new Error(`${script}\n${result.code}: ${result.stdout}${result.stderr}`);
  return result;
}

interface Block {
  source: string;
  text: string;
}

const blocks: Block[] = sources.flatMap((source: string) =>
  [...readFileSync(join(root, source), "utf8").matchAll(/^```(?:sh|bash|shell)\n(.*?)^```$/gms)].map((match) => ({
    source,
    text: match[1]!,
  })),
);

/** By the begin of the block. */
const runs: Record<string, (text: string) => Promise<void>> = {
  "git clone <this repository> posthorn": async (text) => {
    server = begin(`${installed}\n${text.replace("<this repository>", `--quiet "${root}"`)}`);
    for (let tries = 0; !server.output().includes("Posthorn is ready.") || !(await isReady()); tries++) {
      if (tries > 270 || server.child.exitCode !== null) throw new Error(server.output());
      await new Promise((done) => setTimeout(done, 100));
    }
    password = /^ *alice@posthorn\.test +(\S+)$/m.exec(server.output())?.[1] ?? "";
    expect(password).not.toBe("");
  },
  "# A message to Alice, over SMTP …": async (text) => {
    const { stdout } = await run(atServer(text));
    expect(stdout).toContain("Hello from curl");
    expect(stdout).toContain("It works.");
  },
  "npm run posthorn -- account add ann@example.org": async (text) => {
    const { stdout } = await run(text, clone);
    for (const said of ["ann@example.org", "v=DMARC1", "sales@example.org", "phone"]) expect(stdout).toContain(said);
  },
  "posthorn serve --data /var/lib/posthorn --demo false": async (text) => {
    const config = text
      .replace("posthorn serve", "posthorn config")
      .replace("/var/lib/posthorn", join(folder, "other"));
    const { stdout } = await run(
      `${posthorn}\nunset ${Object.keys(environment())
        .filter((name) => name.startsWith("POSTHORN"))
        .join(" ")}\n${config}`,
    );
    for (const value of ["0.0.0.0:443", "0.0.0.0:80", "0.0.0.0:25", "mail.example.org"])
      expect(stdout).toContain(value);
  },
  "posthorn setup --data /var/lib/posthorn": async (text) => {
    // It asks: here the answers are given, and nothing is changed.
    const there = text.trim().replace("/var/lib/posthorn", join(folder, "new"));
    const answers = "--domain example.org --address ann@example.org --hostname mail.example.org --dry-run --yes";
    expect((await run(`${posthorn}\n${there} ${answers}`)).stdout).toContain("example.org");
  },
  "posthorn operator add ann@example.org": async (text) => {
    const accounts = ["bob@example.org", "eve@example.org"].map((one) => `posthorn account add ${one} > /dev/null`);
    await run(`${posthorn}\n${accounts.join("\n")}\nposthorn domain add example.net > /dev/null\n${text}`);
    const { stdout } = await run(`${posthorn}\nposthorn operator list`);
    for (const said of ["ann@example.org", "domain-admin", "read-only"]) expect(stdout).toContain(said);
  },
  "npm ci && npm test": inCi,
  "npm ci\nnpm test": inCi,
  "git clone <this repository> /opt/posthorn": async (text) => {
    const opt = join(folder, "opt");
    mkdirSync(join(folder, "etc"));
    for (const name of ["passwd", "group", "shadow", "gshadow"]) writeFileSync(join(folder, "etc", name), "");
    const useradd = `useradd() { if [ "$(id -u)" = 0 ]; then command useradd --prefix "${folder}" "$@"; else echo "not root: no user was added" >&2; fi; }`;
    const below = text.replaceAll("/opt/", `${opt}/`).replace("<this repository>", `--quiet "${root}"`);
    await run(`${installed}\n${useradd}\n${below}`);
    expect(existsSync(join(opt, "posthorn/bin/posthorn.js"))).toBe(true);
    if (process.getuid!() === 0) expect(readFileSync(join(folder, "etc/passwd"), "utf8")).toMatch(/^posthorn:/);
  },
  "cp /opt/posthorn/packaging/systemd/posthorn.service": async (text) => {
    mkdirSync(join(folder, "etc/systemd/system"), { recursive: true });
    const systemctl = `systemctl() { [ "$1 $2" = "enable --now" ] && test -f "${folder}/etc/systemd/system/$3.service"; }`;
    await run(`${systemctl}\n${text.replaceAll("/opt/posthorn", root).replaceAll("/etc/", `${folder}/etc/`)}`);
  },
  "createuser posthorn": async (text) => {
    // Without a cluster, only that each command of Posthorn is one, with these options.
    const shows = `posthorn() { "${root}/bin/posthorn.js" "$@" --help > /dev/null; }\ncreateuser() { :; }; createdb() { :; }; psql() { :; }`;
    await run(`${shows}\n${text}`);
  },
  "npx posthorn-conformance": async (text) => {
    const npx = `npx() { shift; "${root}/bin/posthorn-conformance.js" "$@" --rfc 8620 --only 5.1; }`;
    const here = text
      .replace("https://mail.example.org", `http://127.0.0.1:${http}`)
      .replace("test1@example.org", "alice@posthorn.test")
      .replace("SECRET", password);
    expect((await run(`${npx}\n${here}`)).stdout).toMatch(/^all +[1-9]/m);
  },
  "npm run chaos": async (text) => {
    expect((await run(`${text.trim()} --help`, root)).stdout).toContain("--citus-data");
  },
  "posthorn import ann@example.org Archive.mbox": async (text) => {
    writeFileSync(join(folder, "Archive.mbox"), "From a@b.test Tue Dec  1 15:00:00 2026\nSubject: old\n\nHello.\n");
    const { stdout } = await run(`${posthorn}\n${text}`);
    expect(stdout).toMatch(/^1 mails would be looked at.*^Brought 1 new/ms);
  },
  // There is no such server: only that it is a command with these options.
  "posthorn import ann@example.org imaps:": async (text) => {
    await run(`posthorn() { "${root}/bin/posthorn.js" "$@" --help > /dev/null; }\n${text}`);
  },
  "posthorn backup --new-key": async (text) => {
    const { stdout } = await run(`${posthorn}\n${backupHere(text)}`);
    expect(stdout).toMatch(/^All [1-9]\d* files are as they were written\.$/m);
    expect(stdout).toMatch(/ full /);
  },
  "posthorn restore --from": async (text) => {
    const { stdout } = await run(`${posthorn}\n${backupHere(text)}`);
    expect(stdout).toContain("Restored as of ");
  },
};

const backupHere = (text: string): string =>
  text
    .replaceAll("/mnt/backup", join(folder, "backup"))
    .replaceAll("/root/posthorn-backup.key", join(folder, "backup.key"))
    .replaceAll("/var/lib/posthorn", join(folder, "restored"));

const atServer = (text: string): string =>
  text
    .replaceAll("127.0.0.1:2525", `127.0.0.1:${smtp}`)
    .replaceAll("127.0.0.1:8080", `127.0.0.1:${http}`)
    .replaceAll("PASSWORD", password);

async function inCi(text: string): Promise<void> {
  const ci = readFileSync(join(root, ".ci/run"), "utf8");
  for (const command of text.trim().split(/\n| && /)) expect(ci).toMatch(new RegExp(`^step ${command}( --|$)`, "m"));
}

const isReady = () =>
  fetch(`http://127.0.0.1:${http}/readyz`).then(
    ({ status }) => status === 200,
    () => false,
  );

async function stop(): Promise<void> {
  if (!server || server.child.exitCode !== null || server.child.signalCode !== null) return;
  const ended = new Promise((done) => server.child.once("exit", done));
  process.kill(-server.child.pid!, "SIGTERM");
  await ended;
}

beforeAll(async () => {
  [http, smtp, metrics] = (await freePorts(3)) as [number, number, number];
  watch(data, folder);
});

afterAll(async () => {
  await stop();
  rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
});

describe("each block of commands does what its page says", () => {
  const of = (begin: string) => blocks.filter(({ text }) => text.startsWith(begin));

  test.each(Object.entries(runs))("%s", async (begin, check) => {
    const [first] = of(begin);
    expect(first, "a block that is in no page any more").toBeDefined();
    await check(first!.text);
  });

  test("there is no other block, and the same commands are the same everywhere", () => {
    expect(blocks.length).toBeGreaterThan(10);
    const others = blocks.filter(({ text }) => !Object.keys(runs).some((begin) => text.startsWith(begin)));
    expect(others).toEqual([]);
    for (const begin of Object.keys(runs)) expect(new Set(of(begin).map(({ text }) => text)).size, begin).toBe(1);
  });
});
