import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePorts, until } from "./ports.ts";
import { startRedis } from "./redis.ts";
import { whyNoRedis } from "./redis-server.ts";

/** Why this machine cannot run rspamd; undefined if it can. */
export const whyNoRspamd = reason();
if (whyNoRspamd) process.stderr.write(`\nLEFT OUT: what needs a real rspamd: ${whyNoRspamd}\n`);

function reason(): string | undefined {
  if (whyNoRedis) return whyNoRedis;
  if (spawnSync("rspamd", ["--version"]).status !== 0) return "rspamd is not installed";
  return process.getuid?.() === 0 ? undefined : "it is started as root";
}

/** What asks the network. */
const offline = (
  "rbl fuzzy_check surbl phishing asn dmarc spf dkim arc mx_check greylist ratelimit replies neural url_redirector " +
  "reputation hfilter history_redis"
).split(" ");

/** An rspamd of its own, which asks nobody; its controller checks and learns at one port. */
export async function startRspamd(): Promise<{ url: string; stop(): void }> {
  const folder = mkdtempSync(join(tmpdir(), "posthorn-rspamd-"));
  const [normal, controller] = (await freePorts(2)) as [number, number];
  const places = ["local", "db", "run", "log"].map((name) => join(folder, name));
  for (const place of [...places, join(folder, "local/local.d"), join(folder, "local/modules.d")]) mkdirSync(place);
  const local = (name: string, text: string) => writeFileSync(join(folder, "local/local.d", name), text);
  local("options.inc", "disable_hyperscan = true;\ndns { timeout = 0.1s; retransmits = 1; }\n");
  local("worker-normal.inc", `bind_socket = "127.0.0.1:${normal}";\ncount = 1;\n`);
  local("worker-controller.inc", `bind_socket = "127.0.0.1:${controller}";\nsecure_ip = "127.0.0.1";\n`);
  local("worker-proxy.inc", "enabled = false;\n");
  const redis = await startRedis();
  local("redis.conf", `servers = "127.0.0.1:${redis.port}";\n`);
  for (const module of offline) local(`${module}.conf`, "enabled = false;\n");
  const user = spawnSync("id", ["-u", "_rspamd"], { encoding: "utf8" }).stdout.trim();
  for (const place of [folder, ...places]) chownSync(place, Number(user), 0);
  const vars = { LOCAL_CONFDIR: "local", DBDIR: "db", RUNDIR: "run", LOGDIR: "log" };
  const args = Object.entries(vars).map(([name, place]) => `--var=${name}=${join(folder, place)}`);
  const child: ChildProcess = spawn("rspamd", ["-f", "-u", "_rspamd", "-g", "_rspamd", ...args], { stdio: "ignore" });
  const url = `http://127.0.0.1:${controller}`;
  const answers = () =>
    fetch(`${url}/ping`).then(
      ({ ok }) => ok,
      () => false,
    );
  const stop = () => {
    child.kill("SIGTERM");
    redis.kill();
    rmSync(folder, { recursive: true, force: true });
  };
  await until("rspamd", answers, { timeoutMs: 55_000, everyMs: 200 }).catch((error: unknown) => {
    stop();
    throw error;
  });
  return { url, stop };
}
