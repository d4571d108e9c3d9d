import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { get } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generate } from "selfsigned";
import { freePorts, until } from "./ports.ts";

/** Why this machine cannot run Pebble, an ACME server for tests; undefined if it can. */
export const whyNoPebble = spawnSync("pebble", ["-version"]).error ? "pebble is not installed" : undefined;
if (whyNoPebble) process.stderr.write(`\nLEFT OUT: certificates of a real ACME server: ${whyNoPebble}\n`);

/** A real ACME authority on loopback. It refuses one nonce in five, and may give an authorization only after some seconds. */
export class Pebble {
  readonly directory: string;
  /** PEM file of who signs its own certificate. */
  readonly caFile: string;
  readonly #folder = mkdtempSync(join(tmpdir(), "posthorn-pebble-"));
  readonly #child: ChildProcess;

  constructor(port: number, own: { cert: string; key: string }, ports: { http: number; tls: number; dns: string }) {
    this.directory = `https://localhost:${port}/dir`;
    this.caFile = this.#write("cert.pem", own.cert);
    const pebble = {
      listenAddress: `127.0.0.1:${port}`,
      certificate: this.caFile,
      privateKey: this.#write("key.pem", own.key),
      httpPort: ports.http,
      tlsPort: ports.tls,
    };
    const settings = this.#write("pebble.json", JSON.stringify({ pebble }));
    const env = { ...process.env, PEBBLE_WFE_NONCEREJECT: "20", PEBBLE_VA_SLEEPTIME: "1" };
    this.#child = spawn("pebble", ["-config", settings, "-dnsserver", ports.dns], { env, stdio: "ignore" });
  }

  stop(): void {
    this.#child.kill("SIGKILL");
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #write(name: string, text: string): string {
    const path = join(this.#folder, name);
    writeFileSync(path, text);
    return path;
  }
}

/** It asks names at `dns`, and proves them at these ports of the addresses that it finds. */
export async function startPebble(ports: { http: number; tls: number; dns: string }): Promise<Pebble> {
  const [port] = await freePorts(1);
  const { cert, private: key } = await generate([{ name: "commonName", value: "localhost" }], {
    keySize: 2048,
    algorithm: "sha256",
    extensions: [
      { name: "basicConstraints", cA: true },
      { name: "subjectAltName", altNames: [{ type: 2, value: "localhost" }] },
    ],
  });
  const pebble = new Pebble(port!, { cert, key }, ports);
  const answers = () =>
    new Promise<boolean>((resolve) => {
      get(pebble.directory, { ca: cert }, (res) => resolve(res.statusCode === 200)).on("error", () => resolve(false));
    });
  await until("pebble", answers);
  return pebble;
}
