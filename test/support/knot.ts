import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { Resolver } from "node:dns/promises";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePorts, until } from "./ports.ts";

/** Why this machine cannot run Knot, a DNS server that takes updates; undefined if it can. */
export const whyNoKnot = spawnSync("knotd", ["--version"]).status === 0 ? undefined : "knot is not installed";
if (whyNoKnot) process.stderr.write(`\nLEFT OUT: changes of a zone by a real DNS server: ${whyNoKnot}\n`);

export interface Knot {
  port: number;
  /** The key that may change its zones, as tsig-keygen prints one. */
  key: string;
  /** Asks it alone. */
  resolver(): Resolver;
  stop(): void;
}

/** A primary of these zones, by name; each has these lines beside SOA and NS. */
export async function startKnot(zones: Record<string, string[]>, algorithm = "hmac-sha256"): Promise<Knot> {
  const folder = mkdtempSync(join(tmpdir(), "posthorn-knot-"));
  const [port] = (await freePorts(1)) as [number];
  const secret = randomBytes(32).toString("base64");
  for (const [name, records] of Object.entries(zones))
    writeFileSync(join(folder, `${name}.zone`), zoneText(name, records));
  writeFileSync(
    join(folder, "knot.conf"),
    configuration({ folder, port, secret, algorithm, names: Object.keys(zones) }),
  );
  const child: ChildProcess = spawn("knotd", ["-c", join(folder, "knot.conf")], { stdio: "ignore" });
  const stop = () => {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  };
  const resolver = () => {
    const asks = new Resolver({ timeout: 1_000, tries: 2 });
    asks.setServers([`127.0.0.1:${port}`]);
    return asks;
  };
  const answers = () =>
    resolver()
      .resolveSoa(Object.keys(zones)[0]!)
      .then(
        () => true,
        () => false,
      );
  await until("knot", answers, { timeoutMs: 10_000, everyMs: 50 }).catch((error: unknown) => {
    stop();
    throw error;
  });
  return { port, key: `key "posthorn" {\n\talgorithm ${algorithm};\n\tsecret "${secret}";\n};\n`, resolver, stop };
}

const zoneText = (name: string, records: string[]) => `$ORIGIN ${name}.
$TTL 1
@ SOA ns hostmaster 1 3600 600 86400 1
@ NS ns
ns A 127.0.0.1
${records.join("\n")}
`;

const configuration = (about: { folder: string; port: number; secret: string; algorithm: string; names: string[] }) => `
server:
    listen: 127.0.0.1@${about.port}
    rundir: "${about.folder}"
database:
    storage: "${about.folder}"
log:
  - target: "${about.folder}/log"
    any: info
key:
  - id: posthorn
    algorithm: ${about.algorithm}
    secret: ${about.secret}
acl:
  - id: update
    key: posthorn
    action: update
template:
  - id: default
    storage: "${about.folder}"
    acl: update
zone:
${about.names.map((name) => `  - domain: ${name}\n    file: ${name}.zone\n`).join("")}`;
