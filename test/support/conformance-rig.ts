import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer } from "node:tls";
import { fileURLToPath } from "node:url";
import { generate } from "selfsigned";
import { freePorts } from "./ports.ts";
import { startServer } from "./server.ts";
import type { StartSystem } from "./system.ts";

const suite = fileURLToPath(new URL("../../conformance/main.ts", import.meta.url));
const password = "correct horse";

/** An installation on a fresh data folder, behind a TLS proxy, with all that the conformance suite can be given. */
export interface ConformanceRig {
  /** For files of the run; it goes with the rig. */
  folder: string;
  /** The suite's `--config`. */
  configFile: string;
  runSuite(args: string[]): Promise<{ code: number | null; output: string }>;
  dispose(): Promise<void>;
}

export async function startConformanceRig(start: StartSystem = startServer): Promise<ConformanceRig> {
  const folder = mkdtempSync(join(tmpdir(), "posthorn-conformance-"));
  const tls = await makeCertificate(folder);
  const [proxyPort] = (await freePorts(1)) as [number];
  const url = `https://127.0.0.1:${proxyPort}`;
  const server = await start({
    env: {
      POSTHORN_DEMO: "false",
      POSTHORN_PUBLIC_URL: url,
      POSTHORN_ALLOW_PRIVATE_TARGETS: "true",
      NODE_EXTRA_CA_CERTS: tls.certFile,
    },
  });
  const proxy = createServer({ cert: tls.cert, key: tls.key }, (socket) => {
    const inner = connect(server.httpPort, "127.0.0.1");
    socket.pipe(inner).pipe(socket);
    socket.on("error", () => inner.destroy());
    inner.on("error", () => socket.destroy());
  }).listen(proxyPort, "127.0.0.1");
  for (const name of ["ann", "bob", "office"]) await server.addAccount(`${name}@home.test`, password);
  const shared = await server.cli(["account", "share", "office@home.test", "ann@home.test"]);
  if (shared.code !== 0) throw new Error(`the account could not be shared: ${shared.stderr}`);
  // Last, since other tests take ports too until the suite listens there.
  const [pushPort] = (await freePorts(1)) as [number];
  const configFile = join(folder, "conformance.json");
  const config = {
    url,
    user: "ann@home.test",
    password,
    user2: "bob@home.test",
    password2: password,
    smtp: `127.0.0.1:${server.smtpPort}`,
    pushListener: `127.0.0.1:${pushPort}`,
    pushUrl: `https://127.0.0.1:${pushPort}`,
    pushCert: tls.certFile,
    pushKey: tls.keyFile,
  };
  writeFileSync(configFile, JSON.stringify(config));
  return {
    folder,
    configFile,
    runSuite: (args) => runSuite(args, tls.certFile),
    dispose: async () => {
      proxy.close();
      await server.dispose();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function makeCertificate(folder: string) {
  const extension = { name: "subjectAltName" as const, altNames: [{ type: 7 as const, ip: "127.0.0.1" }] };
  const made = await generate([{ name: "commonName", value: "127.0.0.1" }], { extensions: [extension] });
  const [certFile, keyFile] = [join(folder, "tls.crt"), join(folder, "tls.key")];
  writeFileSync(certFile, made.cert);
  writeFileSync(keyFile, made.private);
  return { certFile, keyFile, cert: made.cert, key: made.private };
}

function runSuite(args: string[], certFile: string): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [suite, ...args], {
    env: { ...process.env, NODE_EXTRA_CA_CERTS: certFile },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, output })));
}
