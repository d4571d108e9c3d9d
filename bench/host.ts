import { type ChildProcess, spawn } from "node:child_process";
import { createSocket, type Socket } from "node:dgram";
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../src/cli/main.ts", import.meta.url));
export const password = "benchmark-only-password";

/** Posthorn as a child process, on a folder that may outlive it. */
export type Host = {
  url: string;
  smtpPort: number;
  /** The process trees whose CPU is the server's. */
  roots: () => number[];
  /** Of these, the database's. */
  database: () => number[];
  dataFolder: string;
  addAccount: (address: string) => Promise<void>;
  stop: () => Promise<void>;
};

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Answers every DNS question with NXDOMAIN, so that checks of the sender cost the same on every network. */
async function emptyDns(): Promise<Socket> {
  const socket = createSocket("udp4");
  socket.on("message", (query, peer) => {
    const end = query.indexOf(0, 12) + 5;
    const answer = Buffer.from(query.subarray(0, end));
    answer.writeUInt16BE(0x8183, 2);
    answer.fill(0, 6, 12);
    socket.send(answer, peer.port, peer.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  socket.unref();
  return socket;
}

async function ready(url: string, child: ChildProcess, log: string): Promise<void> {
  for (let tries = 0; tries < 2400; tries++) {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`the server ended at once:\n${readFileSync(log, "utf8").slice(-4000)}`);
    }
    const status = await fetch(`${url}/readyz`, { headers: { connection: "close" } }).then(
      (response) => response.status,
      () => 0,
    );
    if (status === 200) return;
    await sleep(50);
  }
  throw new Error(`the server was not ready in two minutes; see ${log}`);
}

function run(args: string[], env: NodeJS.ProcessEnv, stdin: string): Promise<string> {
  const child = spawn(process.execPath, [main, ...args], { env, stdio: "pipe" });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += String(chunk)));
  child.stdin.on("error", () => {});
  child.stdin.end(stdin);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) =>
      code === 0 ? resolve(output) : reject(new Error(`posthorn ${args.join(" ")}: ${code}\n${output}`)),
    );
  });
}

export async function startHost(folder: string): Promise<Host> {
  mkdirSync(folder, { recursive: true });
  // Started as root, the database runs as another user, who must be able to enter this folder.
  chmodSync(folder, 0o711);
  const [http, smtp, metrics] = [await freePort(), await freePort(), await freePort()];
  const dataFolder = join(folder, "data");
  const dns = await emptyDns();
  const env = {
    POSTHORN_RESOLVER: `127.0.0.1:${dns.address().port}`,
    ...process.env,
    POSTHORN_SENDING_LIMITS: "false",
    POSTHORN_DATA: dataFolder,
    POSTHORN_HTTP: `127.0.0.1:${http}`,
    POSTHORN_SMTP: `127.0.0.1:${smtp}`,
    POSTHORN_METRICS: `127.0.0.1:${metrics}`,
  };
  const log = join(folder, "server.log");
  const out = openSync(log, "a");
  const child = spawn(process.execPath, [main, "serve"], { env, stdio: ["ignore", out, out] });
  closeSync(out);
  const abandon = (): void => void child.kill("SIGTERM");
  process.once("exit", abandon);
  const url = `http://127.0.0.1:${http}`;
  await ready(url, child, log);
  return {
    url,
    smtpPort: smtp,
    dataFolder,
    // A database that outlived an earlier crash is not a child of this server.
    roots: () => [child.pid ?? 0, postmaster(dataFolder)].filter((pid) => pid > 0),
    database: () => [postmaster(dataFolder)].filter((pid) => pid > 0),
    addAccount: async (address) => {
      await run(["account", "add", address, "--password-stdin"], env, `${password}\n`);
    },
    stop: async () => {
      process.removeListener("exit", abandon);
      dns.close();
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGTERM");
      await new Promise((resolve) => child.once("exit", resolve));
    },
  };
}

function postmaster(dataFolder: string): number {
  const file = join(dataFolder, "pg", "postmaster.pid");
  return existsSync(file) ? Number(readFileSync(file, "utf8").split("\n")[0]) : 0;
}

/** Describes the content of a kept folder, so that a second run need not fill it again. */
export type Ledger = { accounts: string[]; filled: string[] };

export function readLedger(folder: string): Ledger {
  const file = join(folder, "bench.json");
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Ledger) : { accounts: [], filled: [] };
}

export function writeLedger(folder: string, ledger: Ledger): void {
  writeFileSync(join(folder, "bench.json"), JSON.stringify(ledger));
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
}
