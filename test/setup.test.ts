import { spawn } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Checked } from "../src/admin/domain-check/checked.ts";
import { makeAuthority } from "./support/authority.ts";
import type { CliResult } from "./support/commands.ts";
import { type Knot, startKnot, whyNoKnot } from "./support/knot.ts";
import { freePorts } from "./support/ports.ts";
import { watch } from "./support/server.ts";
import { type SmtpSink, startSink } from "./support/smtp-sink.ts";

const main = fileURLToPath(new URL("../src/cli/main.ts", import.meta.url));

interface Report {
  isWhole: boolean;
  isNewDomain: boolean;
  account: { address: string; isNew: boolean; password?: string } | null;
  options: { file: string; added: Record<string, string> };
  records: string[];
  published: { done: { name: string }[]; failed: { reason: string }[] } | null;
  checks: Checked[];
  server: Checked[];
}

/** An installation that is yet to be made, in a network of its own: a DNS server, a way out, an authority. */
describe.skipIf(whyNoKnot)("from nothing to a working domain", () => {
  const folder = mkdtempSync(join(tmpdir(), "posthorn-setup-"));
  const data = join(folder, "data");
  let knot: Knot;
  let sink: SmtpSink;
  let ports: number[];
  let env: NodeJS.ProcessEnv;

  beforeAll(async () => {
    // Started as root, the database runs as another user, who must be able to enter this folder.
    chmodSync(folder, 0o711);
    sink = await startSink();
    ports = await freePorts(7);
    knot = await startKnot({
      "here.test": ['@ TXT "site-verification=1"'],
      "far.test": ["@ MX 10 mx.far.test.", "mx A 127.0.0.1"],
      "127.in-addr.arpa": ["1.0.0 PTR mail.here.test."],
    });
    const authority = await makeAuthority();
    const { cert, private: key } = await authority.certify("mail.here.test");
    const files = {
      "ca.pem": authority.cert,
      "cert.pem": cert,
      "key.pem": key,
      "tsig.key": knot.key,
      password: "correct horse\n",
    };
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
    const inherited = Object.entries(process.env).filter(
      ([name]) => !/^(POSTHORN_|VITEST|NODE_ENV|DATABASE_URL)/.test(name),
    );
    env = {
      ...Object.fromEntries(inherited),
      ...{ POSTHORN_DATA: data, NODE_EXTRA_CA_CERTS: join(folder, "ca.pem"), NO_COLOR: "1" },
      ...{ POSTHORN_RESOLVER: `127.0.0.1:${knot.port}`, POSTHORN_MX_PORT: String(sink.port) },
      ...{ POSTHORN_ALLOW_PRIVATE_TARGETS: "true", POSTHORN_METRICS: "off", POSTHORN_HTTP: `127.0.0.1:${ports[0]}` },
    };
    watch(data, folder);
  }, 60_000);
  afterAll(async () => {
    knot?.stop();
    await sink?.stop();
    rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  });

  const run = (...args: string[]): Promise<CliResult> => {
    const child = spawn(process.execPath, [main, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
    const out = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const)
      child[name].on("data", (text: Buffer) => {
        out[name] += text;
      });
    return new Promise((resolve) => child.on("close", (code) => resolve({ code: code ?? -1, ...out })));
  };
  const doors = () => [
    ...["--smtp", `127.0.0.1:${ports[1]}`, "--submissions", `127.0.0.1:${ports[2]}`],
    ...["--submission", `127.0.0.1:${ports[3]}`, "--https", `127.0.0.1:${ports[4]}`],
    ...["--http-redirect", `127.0.0.1:${ports[5]}`, "--public-url", `https://mail.here.test:${ports[4]}`],
    ...["--tls-cert", join(folder, "cert.pem"), "--tls-key", join(folder, "key.pem")],
  ];
  const about = () => ["setup", "--domain", "here.test", "--ip", "127.0.0.1", "--probe", "far.test"];
  const report = ({ code, stdout, stderr }: CliResult): Report & { code: number } => {
    expect(stderr).not.toMatch(/^posthorn: (?!waiting)/m);
    return { code, ...(JSON.parse(stdout) as Report) };
  };

  test("a dry run changes nothing, not even the data folder", async () => {
    const { code, stdout } = await run(...about(), "--address", "ann@here.test", ...doors(), "--dry-run", "--yes");
    expect(code).toBe(0);
    expect(stdout).toContain("Would keep in");
    expect(stdout).toContain(`smtp 127.0.0.1:${ports[1]}`);
    expect(stdout).toContain("Nothing was changed.");
    expect(existsSync(data)).toBe(false);
  });

  test("without a terminal or answers it says what it needs; answers that cannot be are refused before anything is made", async () => {
    expect(await run("setup")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("setup --domain example.org"),
    });
    expect(await run("setup", "--domain", "no")).toMatchObject({ code: 1 });
    const elsewhere = await run(...about(), "--address", "ann@far.test", "--yes");
    expect(elsewhere).toMatchObject({ code: 1, stderr: expect.stringContaining("not an address in here.test") });
    expect(existsSync(data)).toBe(false);
  });

  test("one that was cut short is gone on with: keys and account first, and what is missing is named", async () => {
    const first = report(
      await run(
        ...about(),
        "--address",
        "ann@here.test",
        "--password-file",
        join(folder, "password"),
        ...doors(),
        "--json",
        "--no-start",
      ),
    );
    expect(first).toMatchObject({ code: 1, isWhole: false, isNewDomain: true, published: null, server: [] });
    expect(first.account).toEqual({ address: "ann@here.test", isNew: true });
    expect(first.records.filter((line) => line.includes("_domainkey"))).toHaveLength(2);
    expect(new Set(first.checks.map(({ state }) => state))).toEqual(new Set(["missing", "wrong"]));
    expect(JSON.parse(readFileSync(join(data, "posthorn.json"), "utf8"))).toMatchObject({
      ...{ hostname: "mail.here.test", smtp: `127.0.0.1:${ports[1]}`, demo: "false" },
    });
    // What the operator added to the file stays.
    const file = join(data, "posthorn.json");
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, "utf8")), maxObjectsInGet: 777 }));
  }, 60_000);

  test("records are published and seen, the doors tried, and mail comes in and goes out: all is right", async () => {
    const publishing = ["--dns-update", `127.0.0.1:${knot.port}`, "--dns-key-file", join(folder, "tsig.key")];
    const mail = ["--address", "ann@here.test", "--test-to", "zoe@far.test"];
    const done = report(await run(...about(), ...publishing, ...mail, "--json"));
    expect([...done.checks, ...done.server].filter(({ state }) => state !== "right")).toEqual([]);
    expect(done).toMatchObject({ code: 0, isWhole: true, isNewDomain: false, options: { added: {} } });
    expect(done.account).toEqual({ address: "ann@here.test", isNew: false });
    expect(done.published!.failed).toEqual([]);
    expect(done.published!.done.map(({ name }) => name).sort()).toEqual(
      [
        ...[
          "mail.here.test",
          "here.test",
          "here.test",
          "posthorn._domainkey.here.test",
          "posthorn-ed._domainkey.here.test",
        ],
        ...["_dmarc.here.test", "_jmap._tcp.here.test", "_submissions._tcp.here.test", "_submission._tcp.here.test"],
        ...["autoconfig.here.test", "_smtp._tls.here.test", "_mta-sts.here.test", "mta-sts.here.test"],
      ].sort(),
    );
    expect(done.server.map(({ record }) => record)).toEqual(
      expect.arrayContaining([
        "mail in",
        "mail out",
        "outgoing port 25",
        `port ${ports[1]}`,
        `certificate, port ${ports[4]}`,
      ]),
    );
    const sent = await sink.waitFor(1, 5_000);
    expect(sent[0]).toMatchObject({ to: ["zoe@far.test"] });
    expect(String(sent[0]!.raw)).toMatch(/^DKIM-Signature:/m);
    expect((await knot.resolver().resolveTxt("here.test")).flat().sort()).toEqual([
      "site-verification=1",
      "v=spf1 mx -all",
    ]);
    expect(JSON.parse(readFileSync(join(data, "posthorn.json"), "utf8"))).toMatchObject({ maxObjectsInGet: 777 });
  }, 120_000);

  test("run again, it changes nothing; check says the same, and what has gone wrong since", async () => {
    const again = report(await run(...about(), "--json", "--no-start"));
    expect(again).toMatchObject({ code: 0, published: null, options: { added: {} } });
    const ip = ["--ip", "127.0.0.1"];
    const fine = await run("check", "here.test", "--dns-only", ...ip);
    expect([fine.code, fine.stdout]).toEqual([0, expect.stringContaining("All is right.")]);
    const closed = await run("check", "here.test", ...ip, "--probe", "far.test", "--json");
    expect(closed.code).toBe(1);
    const { server } = JSON.parse(closed.stdout) as { server: Checked[] };
    expect(server.find(({ record }) => record === `port ${ports[1]}`)).toMatchObject({
      state: "wrong",
      advice: expect.stringContaining("nothing listens there"),
    });
    // The test's mail and credential are gone.
    expect((await run("token", "list", "ann@here.test")).stdout).toContain("neither tokens nor app passwords");
    expect((await run("audit", "--account", "ann@here.test")).stdout).toMatch(/app-password\.add/);
  }, 60_000);
});
