import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { services, whyNoPeers } from "../support/peers/available.ts";
import type { Report } from "../support/peers/exchange.ts";
import { domainOf, peers, ways, writeSettings } from "../support/peers/settings.ts";

/** Each direction, with each peer, with and without TLS. */
const count = 60;
const why = whyNoPeers();
// Written directly, since the reporter hides the output of a skipped file.
if (why) process.stderr.write(`\nLEFT OUT: mail exchanged with a real Exim and a real Postfix: ${why}\n`);

const path = (name: string) => fileURLToPath(new URL(`../support/peers/${name}`, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "posthorn-peers-"));
let report: Report;

beforeAll(async () => {
  if (why) return;
  // The peers' servers run as other users.
  chmodSync(folder, 0o755);
  await writeSettings(folder);
  const command = [services, folder, process.execPath, path("exchange.ts"), folder, String(count)];
  const child = spawn(path("enter.sh"), command, { stdio: ["ignore", "inherit", "pipe"], detached: true });
  let complaints = "";
  child.stderr.on("data", (text) => {
    complaints += text;
  });
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`the exchange ended with ${code}:\n${complaints}`);
  report = JSON.parse(readFileSync(join(folder, "report.json"), "utf8"));
}, 180_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const names = (sender: string, way: string) => Array.from({ length: count }, (_, at) => `${sender}.${way}.${at}`);
const sorted = (list: string[]) => [...list].sort();
const routes = peers.flatMap((peer) => ways.map((way) => [peer, way] as const));

describe.skipIf(why)("mail between Posthorn and other servers", () => {
  test.each(peers)("mail from %s is delivered here, each once", (peer) => {
    const received = report.received.filter((subject) => subject.startsWith(peer));
    expect(sorted(received)).toEqual(sorted(ways.flatMap((way) => names(peer, way))));
  });

  test("no other mail is delivered here", () => {
    expect(report.received.filter((subject) => !peers.some((peer) => subject.startsWith(peer)))).toEqual([]);
    expect(report.output).not.toMatch(/"level":(40|50|60)|WARN|ERROR/);
  });

  test.each(peers)("mail to %s is delivered there, each once", (peer) => {
    expect(sorted(report.peers[peer].received)).toEqual(sorted(ways.flatMap((way) => names("posthorn", way))));
  });

  test.each(routes)("to %s with %s, the reply to each mail is recorded", (peer, way) => {
    const sent = report.sent.filter(({ to }) => to.endsWith(`@${domainOf(peer, way)}`));
    expect(sorted(sent.map(({ to }) => to))).toEqual(
      sorted(names("posthorn", way).map((name) => `${name}@${domainOf(peer, way)}`)),
    );
    for (const { smtpReply, delivered } of sent) {
      expect(delivered).toBe("unknown");
      expect(smtpReply).toMatch(peer === "exim" ? /^250 OK id=\S+$/ : /^250 2\.0\.0 Ok: queued as \w+$/);
    }
  });

  test("Exim read each reply, with and without TLS, and retried nothing", () => {
    const { log } = report.peers.exim;
    for (const way of ways) {
      const lines = log.split("\n").filter((line) => line.includes(` => user@${domainOf("posthorn", way)} `));
      const replies = lines.map((line) => / C="250 2\.6\.0 accepted as (q\w+)"$/.exec(line)?.[1]);
      expect([lines.length, new Set(replies).size]).toEqual([count, count]);
      expect(lines.filter((line) => / X=TLS1\.3/.test(line))).toHaveLength(way === "tls" ? count : 0);
    }
    expect(log.split("\n").filter((line) => / (==|\*\*) |closed connection|SMTP error/.test(line))).toEqual([]);
  });

  test("Postfix read each reply, with and without TLS, and retried nothing", () => {
    const { log } = report.peers.postfix;
    for (const way of ways) {
      const lines = log.split("\n").filter((line) => line.includes(`to=<user@${domainOf("posthorn", way)}>`));
      const replies = lines.map((line) => / status=sent \(250 2\.6\.0 accepted as (q\w+)\)$/.exec(line)?.[1]);
      expect([lines.length, new Set(replies).size]).toEqual([count, count]);
    }
    expect(log).toContain("TLS connection established to tls.mx.posthorn.test");
    expect(log).not.toContain("TLS connection established to plain.mx.posthorn.test");
    expect(log.split("\n").filter((line) => /status=(deferred|bounced)|lost connection/.test(line))).toEqual([]);
  });
});
