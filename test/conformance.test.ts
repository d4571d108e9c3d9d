import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer, type Server } from "node:tls";
import { fileURLToPath } from "node:url";
import { generate } from "selfsigned";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { RunResult } from "../conformance/runner/result.ts";
import { tests } from "../conformance/tests.ts";
import { freePorts } from "./support/ports.ts";
import { startServer, type TestServer } from "./support/server.ts";

/** The suite against this server on a fresh data folder, behind a TLS proxy, with all that it can be given. */
const suite = fileURLToPath(new URL("../conformance/main.ts", import.meta.url));
const password = "correct horse";
/** What this server has no way to do, so that nobody can test it. */
const skipped = [
  "rfc8620/3.6.2/account-read-only/MUST",
  "rfc8620/3.6.2/account-not-supported/MUST",
  "rfc8620/5.4/already-exists/MUST",
  "rfc8620/5.6/cannot-calculate/MUST",
];
let folder: string;
let tls: { certFile: string; keyFile: string; cert: string; key: string };
let server: TestServer;
let proxy: Server;
let url: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "posthorn-conformance-"));
  tls = await makeCertificate();
  const [port] = await freePorts(1);
  url = `https://127.0.0.1:${port}`;
  server = await startServer({
    env: {
      POSTHORN_DEMO: "false",
      POSTHORN_PUBLIC_URL: url,
      POSTHORN_ALLOW_PRIVATE_TARGETS: "true",
      NODE_EXTRA_CA_CERTS: tls.certFile,
    },
  });
  proxy = createServer({ cert: tls.cert, key: tls.key }, (socket) => {
    const inner = connect(server.httpPort, "127.0.0.1");
    socket.pipe(inner).pipe(socket);
    socket.on("error", () => inner.destroy());
    inner.on("error", () => socket.destroy());
  }).listen(port, "127.0.0.1");
  for (const name of ["ann", "bob", "office"]) await server.addAccount(`${name}@home.test`, password);
  expect(await server.cli(["account", "share", "office@home.test", "ann@home.test"])).toMatchObject({ code: 0 });
}, 120_000);
afterAll(async () => {
  proxy?.close();
  await server?.dispose();
  rmSync(folder, { recursive: true, force: true });
});

async function makeCertificate(): Promise<typeof tls> {
  const extension = { name: "subjectAltName" as const, altNames: [{ type: 7 as const, ip: "127.0.0.1" }] };
  const made = await generate([{ name: "commonName", value: "127.0.0.1" }], { extensions: [extension] });
  const [certFile, keyFile] = [join(folder, "tls.crt"), join(folder, "tls.key")];
  writeFileSync(certFile, made.cert);
  writeFileSync(keyFile, made.private);
  return { certFile, keyFile, cert: made.cert, key: made.private };
}

async function configFile(): Promise<string> {
  const file = join(folder, "conformance.json");
  const [port] = await freePorts(1);
  const config = {
    url,
    user: "ann@home.test",
    password,
    user2: "bob@home.test",
    password2: password,
    smtp: `127.0.0.1:${server.smtpPort}`,
    pushListener: `127.0.0.1:${port}`,
    pushUrl: `https://127.0.0.1:${port}`,
    pushCert: tls.certFile,
    pushKey: tls.keyFile,
  };
  writeFileSync(file, JSON.stringify(config));
  return file;
}

function runSuite(args: string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [suite, ...args], {
    env: { ...process.env, NODE_EXTRA_CA_CERTS: tls.certFile },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, output })));
}

test("every MUST and every SHOULD holds", async () => {
  const file = join(folder, "result.json");
  const { code, output } = await runSuite(["--config", await configFile(), "--json", file]);
  const { results } = JSON.parse(readFileSync(file, "utf8")) as RunResult;
  const unmet = results.filter(({ level, outcome }) => level !== "MAY" && outcome !== "pass");
  const unforeseen = unmet.filter(({ name, outcome }) => outcome !== "skip" || !skipped.includes(name));
  expect(unforeseen.map(({ name, outcome, message }) => `${outcome} ${name}: ${message}`)).toEqual([]);
  expect(code, output).toBe(0);
  // Nothing was lost on the way, and the list above is true.
  expect(results.length).toBe(tests.length);
  expect(unmet).toHaveLength(skipped.length);
}, 300_000);
