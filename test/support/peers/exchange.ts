import { type ChildProcess, execFileSync, type SpawnOptions, spawn } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Client, one, ref } from "../../../conformance/client/client.ts";
import { SmtpConnection } from "../../../conformance/client/smtp.ts";
import type { GetResult, SetResult } from "../../../conformance/client/types.ts";
import { until } from "../ports.ts";
import { startServer, type TestServer } from "../server.ts";
import { domainOf, hosts, type Peer, peers, type Way, ways } from "./settings.ts";

/** The outcome, for the test in the parent process. */
export interface Report {
  /** Subjects of the mail in Posthorn's inbox. */
  received: string[];
  /** Posthorn's delivery status of each mail that it sent, by recipient. */
  sent: { to: string; smtpReply: string; delivered: string }[];
  peers: Record<Peer, { received: string[]; log: string }>;
  /** Posthorn's log. */
  output: string;
}

const [folder, countText] = process.argv.slice(2) as [string, string];
const count = Number(countText);
const password = "a long password";
const user = `user@${domainOf("posthorn", "tls")}`;
/** User ids of Debian's packages; see enter.sh. */
const owners = { exim: 64001, postfix: 64002 };

/** `from-exim.tls.7`: the sender, the way, and a number. */
const names = (sender: string, way: Way) => Array.from({ length: count }, (_, at) => `${sender}.${way}.${at}`);

function box(peer: Peer): string {
  return join(folder, peer, "box");
}

function subjectsIn(peer: Peer): string[] {
  const at = join(box(peer), "new");
  return readdirSync(at).flatMap((name) => /^Subject: (.*)$/m.exec(readFileSync(join(at, name), "utf8"))?.[1] ?? []);
}

function logOf(peer: Peer): string {
  return readFileSync(join(folder, peer, peer === "exim" ? "mainlog" : "log"), "utf8");
}

function startPeers(): ChildProcess[] {
  for (const peer of peers) {
    for (const sub of ["", "box", "box/new", "box/cur", "box/tmp"]) {
      mkdirSync(join(folder, peer, sub), { recursive: true });
      execFileSync("chown", [String(owners[peer]), join(folder, peer, sub)]);
    }
  }
  mkdirSync(join(folder, "postfix/queue"));
  mkdirSync(join(folder, "postfix/data"));
  execFileSync("chown", ["64002", join(folder, "postfix/data")]);
  execFileSync("postfix", ["start"], { stdio: "ignore" });
  const quiet: SpawnOptions = { stdio: ["ignore", "ignore", "inherit"] };
  return [
    spawn("dnsmasq", ["--keep-in-foreground", `--conf-file=${join(folder, "dnsmasq.conf")}`], quiet),
    spawn("exim4", ["-bdf", "-q1s"], quiet),
  ];
}

function stopPeers(children: ChildProcess[]): void {
  execFileSync("postfix", ["abort"], { stdio: "ignore" });
  for (const child of children) child.kill();
}

async function startPosthorn(): Promise<TestServer> {
  const server = await startServer({
    dataFolder: join(folder, "posthorn"),
    // The exchange has a network of its own, where no cluster is.
    isEmbedded: true,
    env: {
      POSTHORN_HOSTNAME: hosts.posthorn.name,
      POSTHORN_SMTP: `${hosts.posthorn.tls}:25`,
      POSTHORN_RESOLVER: "127.0.0.1:53",
      POSTHORN_ALLOW_PRIVATE_TARGETS: "true",
      POSTHORN_DEMO: "false",
    },
  });
  await server.addAccount(user, password);
  const alias = await server.cli(["address", "add", `user@${domainOf("posthorn", "plain")}`, user]);
  if (alias.code !== 0) throw new Error(alias.stderr);
  return server;
}

/** Gives a peer mail for Posthorn, over one connection. */
async function submitTo(peer: Peer, way: Way): Promise<void> {
  const host = hosts[peer].tls;
  const connection = await until(`${peer} answers`, () =>
    SmtpConnection.greet({ port: 25, host, timeoutMs: 30_000 }).catch(() => undefined),
  );
  const [from, to] = [`someone@${domainOf(peer, way)}`, `user@${domainOf("posthorn", way)}`];
  for (const name of names(peer, way)) {
    const data = `From: ${from}\r\nTo: ${to}\r\nSubject: ${name}\r\nMessage-ID: <${name}@${domainOf(peer, way)}>\r\n\r\nHello.\r\n`;
    await connection.send({ from, to, data });
  }
  await connection.quit();
}

/** Has Posthorn send mail to a peer, by JMAP. */
async function send(client: Client, peer: Peer, way: Way): Promise<void> {
  const { accountId } = client;
  const { list: boxes } = await one<GetResult<{ id: string; role: string }>>(client, "Mailbox/get", { ids: null });
  const { list: identities } = await one<GetResult<{ id: string }>>(client, "Identity/get", { ids: null });
  const drafts = boxes.find(({ role }) => role === "drafts")!.id;
  const email = (name: string) => ({
    mailboxIds: { [drafts]: true },
    from: [{ email: user }],
    to: [{ email: `${name}@${domainOf(peer, way)}` }],
    subject: name,
    bodyValues: { t: { value: "Hello." } },
    textBody: [{ partId: "t", type: "text/plain" }],
  });
  const all = names("posthorn", way);
  const submission = (name: string) => ({ identityId: identities[0]!.id, emailId: `#${name}` });
  const [, [, result]] = (await client.call([
    [
      "Email/set",
      { accountId, create: Object.fromEntries(all.map((name) => [name.replaceAll(".", "-"), email(name)])) },
      "0",
    ],
    [
      "EmailSubmission/set",
      {
        accountId,
        create: Object.fromEntries(
          all.map((name) => [`s-${name.replaceAll(".", "-")}`, submission(name.replaceAll(".", "-"))]),
        ),
      },
      "1",
    ],
  ])) as [unknown, [string, SetResult]];
  const created = Object.keys(result.created ?? {}).length;
  if (created !== count) throw new Error(`sent ${created} of ${count}: ${JSON.stringify(result).slice(0, 1000)}`);
}

type Submission = { deliveryStatus: Record<string, { smtpReply: string; delivered: string }> };

async function sentBy(client: Client): Promise<Report["sent"]> {
  const { accountId } = client;
  const [, [, { list }]] = (await client.call([
    ["EmailSubmission/query", { accountId }, "0"],
    ["EmailSubmission/get", { accountId, "#ids": ref("0", "EmailSubmission/query", "/ids") }, "1"],
  ])) as [unknown, [string, GetResult<Submission>]];
  return list.flatMap(({ deliveryStatus }) =>
    Object.entries(deliveryStatus).map(([to, { smtpReply, delivered }]) => ({ to, smtpReply, delivered })),
  );
}

async function receivedBy(client: Client): Promise<string[]> {
  const { accountId } = client;
  const { list: boxes } = await one<GetResult<{ id: string; role: string }>>(client, "Mailbox/get", { ids: null });
  const filter = { inMailbox: boxes.find(({ role }) => role === "inbox")!.id };
  const [, [, { list }]] = (await client.call([
    ["Email/query", { accountId, filter }, "0"],
    ["Email/get", { accountId, "#ids": ref("0", "Email/query", "/ids"), properties: ["subject"] }, "1"],
  ])) as [unknown, [string, GetResult<{ subject: string }>]];
  return list.map(({ subject }) => subject);
}

async function main(): Promise<void> {
  const children = startPeers();
  let server: TestServer | undefined;
  try {
    server = await startPosthorn();
    const client = await server.login(user, password);
    const routes = peers.flatMap((peer) => ways.map((way) => [peer, way] as const));
    await Promise.all(routes.flatMap(([peer, way]) => [submitTo(peer, way), send(client, peer, way)]));
    const all = routes.length * count;
    const isDone = async () => {
      const [received, sent] = [await receivedBy(client), await sentBy(client)];
      return received.length >= all && sent.filter(({ delivered }) => delivered !== "queued").length >= all;
    };
    // Late mail shows in the report.
    await until("all mail", isDone, { timeoutMs: 25_000, everyMs: 250 }).catch(() => {});
    // A duplicate needs a retry: both peers retry after one or two seconds.
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    const told = (peer: Peer) => ({ received: subjectsIn(peer), log: logOf(peer) });
    const report: Report = {
      received: await receivedBy(client),
      sent: await sentBy(client),
      peers: { exim: told("exim"), postfix: told("postfix") },
      output: server.output,
    };
    writeFileSync(join(folder, "report.json"), JSON.stringify(report));
  } finally {
    await server?.dispose();
    stopPeers(children);
  }
}

await main();
