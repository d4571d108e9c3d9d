import { execFile } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual, promisify } from "node:util";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { one } from "../conformance/client/client.ts";
import type { GetResult } from "../conformance/client/types.ts";
import { isOnCitus } from "./support/citus.ts";
import { startServer, type TestServer } from "./support/server.ts";

let server: TestServer;

beforeAll(async () => {
  server = await startServer();
}, 120_000);
afterAll(() => server?.dispose());

const run = (...args: string[]) => server.cli(args);
/** In a process of its own. */
const spawned = (...args: string[]) => server.spawnCli(args);
const session = (login: string, password: string) =>
  fetch(`${server.url}/.well-known/jmap`, {
    headers: { authorization: `Basic ${Buffer.from(`${login}:${password}`).toString("base64")}` },
  });

/** Announcements take a moment to reach other processes. */
async function eventually(check: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 5_000;
  while (!(await check())) {
    if (Date.now() > end) throw new Error("it did not happen in time");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test("the first start prints curl commands that work unchanged", async () => {
  const commands = server.output.slice(server.output.indexOf("curl"), server.output.lastIndexOf("}'") + 2);
  const script = commands.replace(/^[A-Z].*:$/gm, (line) => (/^(From|To|Subject)/.test(line) ? line : ""));
  expect(script.match(/^curl/gm)).toHaveLength(4);
  const { stdout } = await promisify(execFile)("bash", ["-ec", script], { encoding: "utf8" });
  expect(stdout).toContain("Hello from curl");
});

test("an account and its domain are added beside the running server, and the account is removed again", async () => {
  const address = "ann@new.example";
  expect(await server.spawnCli(["account", "add", address, "--password-stdin"], "sesame\n")).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("Added the domain new.example"),
  });
  expect((await session(address, "sesame")).status).toBe(200);
  expect((await spawned("account", "add", address)).stderr).toBe(`posthorn: ${address} exists already\n`);
  expect((await spawned("account", "list")).stdout).toMatch(/^ann@new\.example +\S+ +postmaster@new\.example$/m);
  expect((await run("domain", "list")).stdout).toMatch(/^posthorn\._domainkey\.new\.example\. 3600 IN TXT "v=DKIM1; /m);

  expect(await spawned("account", "remove", address)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("--yes"),
  });
  expect((await run("account", "remove", address, "--dry-run")).stdout).toContain("would remove 0 emails");
  expect((await session(address, "sesame")).status).toBe(200);
  expect((await spawned("account", "remove", address, "--yes")).code).toBe(0);
  await eventually(async () => (await session(address, "sesame")).status === 401);
});

test("an account added to a domain without a postmaster becomes its postmaster", async () => {
  const others = async (name: string) =>
    new RegExp(`^${name} +\\S+ *(.*)$`, "m").exec((await run("account", "list")).stdout)?.[1];
  await run("domain", "add", "first.example");
  await run("account", "add", "ann@first.example");
  expect(await others("ann@first.example")).toBe("postmaster@first.example");
  await run("account", "remove", "ann@first.example", "--yes");
  await run("account", "add", "bob@first.example");
  await run("account", "add", "cleo@first.example");
  expect(await others("bob@first.example")).toBe("postmaster@first.example");
  expect(await others("cleo@first.example")).toBe("");
});

test("an address adds its domain and says so; a domain can be removed once it has no addresses", async () => {
  await run("account", "add", "ann@kept.example");
  const added = await run("address", "add", "@Gone.example", "ann@kept.example");
  expect(added.stdout).toContain('Added the domain gone.example; "posthorn domain list" prints its DNS records.\n');
  expect(await run("domain", "remove", "GONE.example", "--yes")).toMatchObject({
    code: 1,
    stderr: "posthorn: gone.example still has addresses: @gone.example\n",
  });
  await run("address", "remove", "@gone.example");
  const unsure = await run("domain", "remove", "gone.example");
  expect(unsure).toMatchObject({ code: 1, stderr: expect.stringContaining("--yes") });
  expect(await run("domain", "remove", "gone.example", "--yes")).toMatchObject({
    code: 0,
    stdout: "Removed the domain gone.example: mail for it is refused.\n",
  });
  const { stdout } = await run("domain", "list");
  expect(stdout).not.toContain("gone.example");
  expect(stdout).toContain("; kept.example\n");
  expect(await run("domain", "remove", "gone.example", "--yes")).toMatchObject({
    code: 1,
    stderr: "posthorn: there is no domain gone.example (see: posthorn domain list)\n",
  });
}, 120_000);

test("without a password on standard input, a random one is printed once", async () => {
  const { stdout } = await run("account", "add", "random@new.example");
  const password = /shown only now: (\S+)/.exec(stdout)![1]!;
  expect((await session("random@new.example", password)).status).toBe(200);
});

test("an old password and a revoked token stop working at once", async () => {
  const address = "rev@new.example";
  await server.addAccount(address, "first");
  expect((await session(address, "first")).status).toBe(200);
  await server.cli(["account", "passwd", address, "--password-stdin"], "second\n");
  await eventually(async () => (await session(address, "first")).status === 401);
  expect((await session(address, "second")).status).toBe(200);

  const app = (await run("token", "add", address, "--app-password", "--label", "phone")).stdout.trim().split("\n")[1]!;
  expect((await session(address, app)).status).toBe(200);
  const token = (await run("token", "add", address)).stdout.trim().split("\n")[1]!;
  const bearer = () => fetch(`${server.url}/.well-known/jmap`, { headers: { authorization: `Bearer ${token}` } });
  expect((await bearer()).status).toBe(200);
  const ids = (await run("token", "list", address)).stdout.split("\n").flatMap((line) => {
    const [id, kind] = line.split(/ +/);
    return kind === "token" || kind === "app-password" ? [id!] : [];
  });
  for (const id of ids) expect((await run("token", "revoke", address, id)).code).toBe(0);
  await eventually(async () => (await bearer()).status === 401 && (await session(address, app)).status === 401);
  expect((await session(address, "second")).status).toBe(200);
});

test("a revoked token ends the push connections opened with it, and no others", async () => {
  const address = "pushed@new.example";
  await server.addAccount(address, "sesame");
  const open = async () => {
    const [line = "", token = ""] = (await run("token", "add", address)).stdout.trim().split("\n");
    const { body } = await fetch(`${server.url}/jmap/eventsource/?types=*&closeafter=no&ping=1`, {
      headers: { authorization: `Bearer ${token}` },
    });
    const reader = body!.getReader();
    await reader.read();
    return { id: line.split(" ")[1]!, reader };
  };
  const [first, second] = [await open(), await open()];
  await run("token", "revoke", address, first.id);
  while (!(await first.reader.read()).done);
  for (let pings = 0; pings < 2; pings++) expect((await second.reader.read()).done).toBe(false);
  await run("account", "remove", address, "--yes");
  while (!(await second.reader.read()).done);
});

test("an account is shared with another login, and the share is withdrawn", async () => {
  await server.addAccount("office@new.example", "office");
  await server.addAccount("clerk@new.example", "clerk");
  const names = async () => {
    const { accounts } = (await (await session("clerk@new.example", "clerk")).json()) as {
      accounts: Record<string, { name: string }>;
    };
    return Object.values(accounts).map(({ name }) => name);
  };
  expect(await names()).toEqual(["clerk@new.example"]);
  await run("account", "share", "office@new.example", "clerk@new.example");
  await eventually(async () => (await names()).includes("office@new.example"));
  await run("account", "share", "office@new.example", "clerk@new.example", "--stop");
  await eventually(async () => (await names()).length === 1);
});

test("an account's identity takes its display name, until the owner changes the identity's", async () => {
  const address = "named@new.example";
  const add = ["account", "add", address, "--name", "Zoë Lee", "--password-stdin"];
  expect((await server.cli(["account", "add", address, "--name", "a\nb"])).stderr).toContain("control characters");
  expect((await server.cli(add, "sesame\n")).code).toBe(0);
  const client = await server.login(address, "sesame");
  const names = async () => {
    const { accounts } = (await (await session(address, "sesame")).json()) as {
      accounts: Record<string, { name: string }>;
    };
    const account = Object.values(accounts).map(({ name }) => name);
    const [identity] = await client.call([["Identity/get", { accountId: client.accountId, ids: null }, "0"]]);
    return [...account, ...(identity![1].list as { name: string }[]).map(({ name }) => name)];
  };
  expect(await names()).toEqual(["Zoë Lee", "Zoë Lee"]);
  const renamed = async (name: string, expected: string[]) => {
    expect((await run("account", "name", address, name)).code).toBe(0);
    await eventually(async () => isDeepStrictEqual(await names(), expected));
  };
  await renamed("Z. Lee", ["Z. Lee", "Z. Lee"]);
  await renamed("", [address, ""]);
  await renamed("Zoë", ["Zoë", "Zoë"]);
  const [got] = await client.call([["Identity/get", { accountId: client.accountId, ids: null }, "0"]]);
  const [{ id }] = got![1].list as [{ id: string }];
  await client.call([["Identity/set", { accountId: client.accountId, update: { [id]: { name: "Own" } } }, "0"]]);
  await renamed("Zoë Lee", ["Zoë Lee", "Own"]);
});

test("the quota of an account is shown, set and removed", async () => {
  const address = "quota@new.example";
  await server.addAccount(address, "x");
  expect((await run("account", "quota", address)).stdout).toBe(`${address} uses 0 bytes; its limit is 20 GB.\n`);
  expect((await run("account", "quota", address, "1.5GB")).stdout).toContain("its limit is 1.5 GB");
  expect((await run("account", "quota", address, "none")).stdout).toContain("its limit is none");
  expect((await run("account", "quota", address, "much")).stderr).toContain('"much" is not a size');
});

test("aliases are added, listed and removed; an account's main address cannot be removed as one", async () => {
  await server.addAccount("main@alias.example", "x");
  expect((await run("address", "add", "@alias.example", "main@alias.example")).stdout).toContain("all other addresses");
  expect((await run("address", "add", "Sales@Alias.example", "main@alias.example")).code).toBe(0);
  const list = (await run("address", "list")).stdout;
  expect(list).toMatch(/^@alias\.example +main@alias\.example$/m);
  expect(list).toMatch(/^sales@alias\.example +main@alias\.example$/m);
  const forward = [
    "address",
    "forward",
    "sales@alias.example",
    "--to",
    "x@far.example,main@alias.example",
    "--no-copy",
  ];
  expect((await run(...forward)).stdout).toContain("goes to x@far.example, main@alias.example.");
  expect((await run("address", "list")).stdout).toMatch(/^sales@\S+ +\(main@alias\.example\) +x@far\.example, main@/m);
  const masked = (await run("address", "mask", "main@alias.example", "--label", "shop")).stdout.trim();
  expect((await run("address", "pause", masked)).stdout).toBe(`Mail for ${masked} is refused.\n`);
  const masks = (await run("address", "masks", "main@alias.example")).stdout;
  expect(masks).toMatch(new RegExp(`^${masked} +shop +disabled +0 +-$`, "m"));
  expect((await run("address", "list")).stdout).not.toContain(masked);
  expect((await run("address", "remove", "sales@alias.example")).code).toBe(0);
  expect((await run("address", "remove", "sales@alias.example")).code).toBe(1);
  expect((await run("address", "remove", "main@alias.example")).stderr).toContain("account remove");
});

test("doctor counts mail that an older version indexed, and reindex rebuilds its terms", async () => {
  await server.addAccount("old@new.example", "sesame");
  const jmap = await server.login("old@new.example", "sesame");
  const { list } = await one<GetResult<{ id: string }>>(jmap, "Mailbox/get", { ids: null });
  await one(jmap, "Email/set", { create: { a: { mailboxIds: { [list[0]!.id]: true }, subject: "old" } } });
  const client = new pg.Client(server.connection);
  await client.connect();
  const { rowCount } = await client.query("-- crosses accounts\nUPDATE search SET version = 0");
  await client.end();
  expect(rowCount).toBeGreaterThan(0);
  const told = `Search: an older version indexed ${rowCount} messages (see: posthorn reindex).`;
  expect(await run("doctor")).toMatchObject({ code: 0, stdout: expect.stringContaining(told) });
  expect(await run("reindex", "--all")).toMatchObject({ code: 0, stdout: `Reindexed ${rowCount} messages.\n` });
  expect((await run("doctor")).stdout).not.toContain("Search:");
});

test("reindex takes accounts or all of them", async () => {
  expect(await run("reindex", "--all")).toMatchObject({ code: 0, stdout: "Reindexed 0 messages.\n" });
  await server.addAccount("other@new.example", "sesame");
  expect(await run("reindex", "other@new.example")).toMatchObject({ code: 0, stdout: "Reindexed 0 messages.\n" });
  expect(await run("reindex", "nobody@new.example")).toMatchObject({ code: 1 });
  for (const wrong of [["reindex"], ["reindex", "--all", "other@new.example"]]) {
    expect(await run(...wrong)).toMatchObject({ code: 1, stderr: "posthorn: name accounts, or pass --all\n" });
  }
});

test("an account's spam filter is taught from files, shows it, and forgets it; the quarantine is empty", async () => {
  const address = "taught@new.example";
  await server.addAccount(address, "taught");
  const folder = mkdtempSync(join(tmpdir(), "posthorn-taught-"));
  const files = ["one", "two"].map((name) => join(folder, `${name}.eml`));
  for (const file of files) writeFileSync(file, `Subject: ${file}\r\n\r\nbuy pills now\r\n`);
  expect((await run("spam", "learn", address, "spam", ...files)).stdout).toBe("Learned from 2 messages.\n");
  expect((await run("spam", "stats", address)).stdout).toMatch(/ has taught 2 spam and 0 wanted mails; \d+ words /);
  expect((await run("spam", "forget", address)).code).toBe(0);
  expect((await run("audit", "--account", address)).stdout).toMatch(
    /spam\.forget\n[\s\S]*spam\.learn kind=spam mails=2\n/,
  );
  expect((await run("quarantine", "list")).stdout).toBe("The quarantine is empty.\n");
  rmSync(folder, { recursive: true });
}, 60_000);

test("doctor finds no difference; config shows each value in force and its source", async () => {
  expect(await run("doctor")).toMatchObject({ code: 0, stdout: expect.stringContaining("All is well.") });
  const { stdout } = await run("config", "--json", "--mx-port", "26");
  const options = JSON.parse(stdout) as { name: string; value: string; source: string }[];
  expect(options.find(({ name }) => name === "mxPort")).toMatchObject({ value: "26", source: "flag" });
  expect(options.find(({ name }) => name === "data")).toMatchObject({ value: server.dataFolder, source: "env" });
  expect(options.find(({ name }) => name === "roles")).toMatchObject({ source: "default" });
  const file = join(server.dataFolder, "posthorn.json");
  expect((await run("config")).stdout).toContain(`config = ${file}   [default]\n    --config, POSTHORN_CONFIG\n`);
});

/** Not where the server that all these tests share is on Citus. */
const ofEmbedded = test.skipIf(isOnCitus);

ofEmbedded("a database is reached through its socket by the usual URL, with a login and no host", async () => {
  const url = `postgres://posthorn@/posthorn?host=${join(server.dataFolder, "run")}`;
  await server.addAccount("socket@new.example", "x");
  expect(await run("account", "list", "--database-url", url)).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("socket@new.example"),
  });
});

test("an operator holds an account's mail, lists it, lets it go, and sets its limits", async () => {
  const address = "sends@new.example";
  await server.addAccount(address, "sends");
  const held = await run("standing", "hold", address, "--reason", "call us");
  expect(held).toMatchObject({ code: 0, stdout: "0 deliveries are held, and what is submitted next.\n" });
  expect((await run("standing", "hold", address)).stderr).toContain(`mail of ${address} is held already`);
  const { stdout } = await run("standing", "limit", address, "--hour", "7", "--day", "9");
  expect(stdout).toBe(`${address}: 7 recipients an hour, 9 a day.\n`);
  const listed = JSON.parse((await run("standing", "list", "--json")).stdout) as { login: string }[];
  expect(listed).toContainEqual(
    expect.objectContaining({ login: address, hourly: 7, hold: expect.objectContaining({ text: "call us" }) }),
  );
  expect((await run("standing", "show", address)).stdout).toMatch(/^Held since \S+ \(operator\): call us\./);
  expect((await run("standing", "lift", address, "--dry-run")).stdout).toBe("0 deliveries would go out.\n");
  expect((await run("standing", "lift", address)).code).toBe(0);
  expect((await run("standing", "show", address)).stdout).toContain("May send to 7 recipients an hour and 9 a day");
  expect((await run("standing", "lift", address)).stderr).toContain("is not held");
}, 60_000);

test("the addresses that mail leaves from are shown with their plan; a file that is wrong is refused by its line", async () => {
  const folder = mkdtempSync(join(tmpdir(), "posthorn-pools-"));
  const file = join(folder, "pools");
  writeFileSync(file, "personal 127.0.0.1 mx.new.example warm\nbulk 127.0.0.2 news.new.example\n");
  const shown = JSON.parse((await run("pools", "show", "--pools", file, "--json")).stdout) as object[];
  expect(shown).toMatchObject([
    { address: "127.0.0.1", pool: "personal", plannedToday: null, today: [], restsUntil: null },
    { address: "127.0.0.2", name: "news.new.example", plannedToday: 50 },
  ]);
  writeFileSync(file, "bulk 127.0.0.2\n");
  expect((await run("pools", "show", "--pools", file)).stderr).toContain('line 1: "" is not a host name');
  expect((await run("pools", "show")).stderr).toContain("--pools names no file");
  rmSync(folder, { recursive: true });
}, 60_000);

test("a program for browsers is registered for OAuth, listed and removed", async () => {
  const redirect = "https://webmail.example/callback";
  const wrong = await run("oauth-client", "add", "Webmail", "--redirect", "http://webmail.example/callback");
  expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining("is not where a program may be answered")]);
  const { id } = JSON.parse((await run("oauth-client", "add", "Webmail", "--redirect", redirect, "--json")).stdout);
  expect((await run("oauth-client", "list")).stdout).toMatch(new RegExp(`^${id} +Webmail +\\S+ +${redirect}$`, "m"));
  expect((await run("oauth-client", "remove", id, "--dry-run")).stdout).toBe("Webmail would be removed.\n");
  expect((await run("oauth-client", "remove", id)).code).toBe(0);
  expect((await run("oauth-client", "remove", id)).stderr).toContain("there is no program");
});

test("every command has help; a mistake is reported in one line, without a stack", async () => {
  const top = (await spawned("--help")).stdout;
  const names = [
    "serve",
    "account",
    "address",
    "domain",
    "token",
    "config",
    "doctor",
    "export",
    "import",
    "migrate",
    "reindex",
    "backup",
    "restore",
    "blobs",
    "cluster",
    "queue",
    "trace",
    "why",
    "undelete",
    "hold",
    "retention",
    "spam",
    "quarantine",
    "standing",
    "pools",
    "reports",
    "setup",
    "check",
    "completion",
    "man",
    "version",
  ];
  for (const name of names) expect(top).toContain(name);
  const helps = await Promise.all(names.map((name) => run(name, "--help")));
  for (const [index, name] of names.entries()) expect(helps[index]!.stdout).toContain(`posthorn ${name}`);
  expect((await spawned("--version")).stdout).toMatch(
    /^posthorn \d+\.\d+\.\d+ \((commit [0-9a-f]{12}, )?Node 26\.\d+\.\d+, schema \d+\)\n$/,
  );
  for (const args of [
    ["account", "add", "nonsense"],
    ["account", "add", "a b@new.example"],
    ["account", "passwd", "nobody@new.example"],
    ["account", "list", "--metrics", "x"],
  ]) {
    const { code, stderr } = await run(...args);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^posthorn: [^\n]+\n$/);
  }
  expect((await spawned("account", "frobnicate")).code).not.toBe(0);
  expect(await spawned("doctr")).toMatchObject({ code: 1, stderr: expect.stringContaining("Did you mean doctor?") });
}, 60_000);

test("SIGTERM stops the server cleanly; commands then work without it, and the next start finds the data unchanged", async () => {
  await server.addAccount("kept@new.example", "kept");
  await server.stop();
  expect(server.output).toMatch(/"msg":"stopped"/);
  await server.addAccount("alone@new.example", "alone");
  expect((await spawned("doctor")).stdout).toContain("All is well.");
  await server.start();
  expect((await session("kept@new.example", "kept")).status).toBe(200);
  expect((await session("alone@new.example", "alone")).status).toBe(200);
  expect(server.output.match(/Added a demo domain/g)).toHaveLength(1);
}, 60_000);

ofEmbedded("commands that only read or change data do not create a data folder under a mistyped name", async () => {
  const folder = join(tmpdir(), "posthorn-mistyped");
  for (const args of [["account", "list"], ["doctor"], ["account", "passwd", "ann@new.example"]]) {
    const { code, stderr } = await server.cli([...args, "--data", folder]);
    expect(stderr).toBe(`posthorn: there is no database in ${folder} yet: "posthorn serve" creates one\n`);
    expect(code).toBe(1);
  }
  expect(existsSync(folder)).toBe(false);
});

test.runIf(process.getuid?.() === 0)("a command that may not enter a folder says so, and no more", async () => {
  const closed = mkdtempSync(join(tmpdir(), "posthorn-cli-"));
  const main = fileURLToPath(new URL("../src/cli/main.ts", import.meta.url));
  const own = { uid: 65_534, gid: 65_534, cwd: "/", env: { ...process.env, POSTHORN_DATA: join(closed, "data") } };
  const told = `posthorn: this process runs as uid 65534, which may not enter ${closed} (mode 0700) on the way to ${own.env.POSTHORN_DATA}: `;
  try {
    for (const args of [["account", "list"], ["doctor"], ["migrate"], ["serve"]]) {
      const ended = promisify(execFile)(process.execPath, [main, ...args], own);
      await expect(ended).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining(told) });
    }
  } finally {
    rmSync(closed, { recursive: true });
  }
});

ofEmbedded(
  "each port in use is reported in one line and stops the start, before anything is made that is shown only once",
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "posthorn-cli-"));
    chmodSync(folder, 0o711);
    try {
      writeFileSync(join(folder, "options.json"), JSON.stringify({ logLevel: "silent", metrics: "off" }));
      const own = ["--config", join(folder, "options.json"), "--data", join(folder, "data")];
      const { code, stderr } = await server.cli(["serve", ...own, "--smtp", "127.0.0.1:0", "--metrics", "off"]);
      const taken = `another program uses port ${server.httpPort} on 127.0.0.1`;
      expect(stderr).toBe(`posthorn: ${taken}: choose another with --http or POSTHORN_HTTP\n`);
      expect(code).toBe(1);
      const smtp = `another program uses port ${server.smtpPort} on 127.0.0.1`;
      expect(await server.cli(["serve", ...own, "--metrics", "off"])).toMatchObject({
        code: 1,
        stderr: `posthorn: ${taken}: choose another with --http or POSTHORN_HTTP\nposthorn: ${smtp}: choose another with --smtp or POSTHORN_SMTP\n`,
      });
      // The failed starts applied no migration.
      expect((await server.cli(["migrate", ...own])).stdout).toContain("000001");
      const rest = ["--http", "127.0.0.1:0", "--metrics", "off"];
      const elsewhere = await server.cli(["serve", ...own, ...rest, "--smtp", "192.0.2.1:2525"]);
      const what = "192.0.2.1 is not an address of this machine: choose another with --smtp or POSTHORN_SMTP";
      expect(elsewhere).toMatchObject({ code: 1, stderr: `posthorn: ${what}\n` });
      const unknown = await server.cli(["serve", ...own, ...rest, "--smtp", "nowhere.invalid:2525"]);
      expect(unknown.stderr).toBe(
        "posthorn: there is no host nowhere.invalid: choose another with --smtp or POSTHORN_SMTP\n",
      );
      // The failed starts printed no demo passwords, so they must not have added demo accounts.
      expect((await server.cli(["account", "list", ...own])).stdout).toContain("There are no accounts yet");
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
  120_000,
);
