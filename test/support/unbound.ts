import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DnssecResolver } from "../../src/smtp/outbound/tls-policy/dnssec-resolver.ts";
import { freePorts, until } from "./ports.ts";

/** Why this machine cannot run unbound with a signed zone; undefined if it can. */
export const whyNoUnbound = reason();
if (whyNoUnbound) process.stderr.write(`\nLEFT OUT: DANE with a real validating resolver: ${whyNoUnbound}\n`);

function reason(): string | undefined {
  if (spawnSync("unbound", ["-V"]).status !== 0) return "unbound is not installed";
  return spawnSync("ldns-signzone", ["-v"]).error ? "ldnsutils is not installed" : undefined;
}

export interface TestZone {
  name: string;
  /** Lines of the zone's file, beside SOA and NS. */
  records: string[];
  /** Signed, and unbound knows its key. */
  isSigned: boolean;
  /** Changes the zone's file after it was signed. */
  spoil?: (text: string) => string;
}

/** An unbound that knows these zones alone, and validates those that are signed. */
export async function startUnbound(zones: TestZone[]): Promise<{ address: string; stop(): void }> {
  const folder = mkdtempSync(join(tmpdir(), "posthorn-unbound-"));
  const [port] = (await freePorts(1)) as [number];
  const anchors: string[] = [];
  const parts = zones.map((zone) => {
    const file = join(folder, zone.name);
    writeFileSync(file, textOf(zone));
    if (!zone.isSigned) return partOf(zone.name, file);
    const keys = [["-k"], []].map((more) => {
      const args = ["-a", "ECDSAP256SHA256", ...more, zone.name];
      return run("ldns-keygen", args, folder).trim();
    });
    run("ldns-signzone", [file, ...keys], folder);
    anchors.push(readFileSync(join(folder, `${keys[0]}.key`), "utf8"));
    const signed = `${file}.signed`;
    if (zone.spoil) writeFileSync(signed, zone.spoil(readFileSync(signed, "utf8")));
    return partOf(zone.name, signed);
  });
  writeFileSync(join(folder, "anchors"), anchors.join(""));
  const config = `server:
  interface: 127.0.0.1
  port: ${port}
  do-daemonize: no
  chroot: ""
  username: ""
  directory: "${folder}"
  pidfile: ""
  use-syslog: no
  logfile: "${folder}/log"
  num-threads: 1
  module-config: "validator iterator"
  local-zone: "test." nodefault
  trust-anchor-file: "${folder}/anchors"
remote-control:
  control-enable: no
${parts.join("")}`;
  writeFileSync(join(folder, "conf"), config);
  const child: ChildProcess = spawn("unbound", ["-d", "-c", join(folder, "conf")], { stdio: "ignore" });
  const stop = () => {
    child.kill("SIGTERM");
    rmSync(folder, { recursive: true, force: true });
  };
  const address = `127.0.0.1:${port}`;
  const answers = () =>
    new DnssecResolver(address).ask(zones[0]!.name, "MX").then(
      () => true,
      () => false,
    );
  await until("unbound", answers, { timeoutMs: 15_000, everyMs: 100 }).catch((error: unknown) => {
    stop();
    throw error;
  });
  return { address, stop };
}

function run(command: string, args: string[], folder: string): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: folder, encoding: "utf8" });
  if (status !== 0) throw new Error(`${command}: ${stderr}`);
  return stdout;
}

const textOf = ({ name, records }: TestZone) => `$ORIGIN ${name}.
$TTL 60
@ SOA ns hostmaster 1 3600 600 86400 60
@ NS ns
ns A 127.0.0.1
${records.join("\n")}
`;

const partOf = (name: string, file: string) => `auth-zone:
  name: "${name}."
  zonefile: "${file}"
  for-downstream: no
  for-upstream: yes
  fallback-enabled: no
`;
