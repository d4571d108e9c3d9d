import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { one } from "../conformance/client/client.ts";
import { SmtpConnection } from "../conformance/client/smtp.ts";
import type { GetResult, QueryResult, SetResult } from "../conformance/client/types.ts";
import { systemClock } from "../src/base/clock.ts";
import { silentLog } from "../src/base/log.ts";
import { openStore } from "../src/cli/open-store.ts";
import { resolverOf } from "../src/cli/resolver.ts";
import { load } from "../src/config/load.ts";
import { type Clone, cloneOnCitus, isOnCitus, nodesOf } from "./support/citus.ts";
import { DatabaseProxy } from "./support/database-proxy.ts";
import { until } from "./support/ports.ts";
import { startServer, type TestServer } from "./support/server.ts";

/** A process is started while the coordinator is down; its URL names the workers too. */
const password = "correct horse";
const users = ["ann", "bob", "cat", "dan"].map((name) => `${name}@home.test`);
let clone: Clone;
let coordinator: DatabaseProxy;
let server: TestServer;

describe.runIf(isOnCitus)("without a coordinator", () => {
  beforeAll(async () => {
    clone = await cloneOnCitus("migrated");
    const { hostname: host, port, username: user, pathname } = new URL(clone.url);
    coordinator = await DatabaseProxy.start({ host, port: Number(port), user, database: pathname.slice(1) });
    const workers = (await nodesOf(clone.url)).slice(1).map((url) => new URL(url).host);
    const hosts = [...workers, `127.0.0.1:${coordinator.port}`].join(",");
    server = await startServer({
      env: { DATABASE_URL: `postgres://${user}@${hosts}${pathname}`, POSTHORN_DEMO: "false" },
    });
    for (const user of users) await server.addAccount(user, password);
    await server.stop();
    await coordinator.cut();
    await server.start();
  }, 240_000);

  afterAll(async () => {
    await server?.dispose();
    await coordinator?.close();
    await clone?.drop();
  });

  const subjects = async (user: string) => {
    const client = await server.login(user, password);
    const { ids } = await one<QueryResult>(client, "Email/query", {});
    const { list } = await one<GetResult>(client, "Email/get", { ids, properties: ["subject"] });
    return list.map(({ subject }) => subject);
  };

  async function mail(to: string): Promise<{ code: number; stage: string }> {
    const peer = await SmtpConnection.greet({ port: server.smtpPort });
    try {
      for (const command of ["MAIL FROM:<a@away.test>", `RCPT TO:<${to}>`]) {
        const { code } = await peer.command(command);
        if (code !== 250) return { code, stage: command.slice(0, 4) };
      }
      const { code } = await peer.data(`From: a@away.test\nTo: ${to}\nSubject: at last\n\nHello\n`);
      return { code, stage: "DATA" };
    } finally {
      peer.destroy();
    }
  }

  test("it serves sign-in, reading, drafts and flags, puts mail off at MAIL, and says what is missing", async () => {
    for (const user of users) {
      const client = await server.login(user, password);
      const { list } = await one<GetResult>(client, "Mailbox/get", { ids: null });
      const drafts = list.find(({ role }) => role === "drafts")!.id as string;
      const create = { d: { mailboxIds: { [drafts]: true }, keywords: { $draft: true }, subject: "written" } };
      const { created } = await one<SetResult>(client, "Email/set", { create });
      const update = { [created!.d!.id as string]: { "keywords/$flagged": true } };
      expect((await one<SetResult>(client, "Email/set", { update })).updated).not.toBeNull();
      expect(await subjects(user)).toEqual(["written"]);
    }
    expect(await mail(users[0]!)).toEqual({ code: 451, stage: "MAIL" });
    const ready = await fetch(`${server.url}/readyz`);
    expect(ready.status).toBe(200);
    expect(await ready.json()).toMatchObject({ ready: true, database: "no answer from the coordinator" });
  });

  test("mail comes in once the coordinator is back", async () => {
    await coordinator.mend();
    for (const user of users) {
      await until("mail comes in", async () => (await mail(user)).code === 250);
      await until("it is delivered", async () => (await subjects(user)).includes("at last"));
    }
  });
});

test.runIf(isOnCitus)(
  "processes that start at once on an empty database all know its nodes",
  async () => {
    const [empty, data] = [await cloneOnCitus("empty"), await mkdtemp(join(tmpdir(), "first-start-"))];
    const { config } = load(
      { DATABASE_URL: empty.url, POSTHORN_DATA: data, POSTHORN_ROLES: "worker" },
      { metrics: "127.0.0.1:0" },
    );
    const surroundings = { clock: systemClock, resolver: resolverOf(config), random: randomBytes, log: silentLog };
    const opened = await Promise.all([1, 2, 3].map(() => openStore(config, surroundings, { max: 2 })));
    try {
      for (const { store } of opened) expect(store.database.nodes.all.length).toBeGreaterThan(1);
    } finally {
      for (const { close } of opened) await close();
      await rm(data, { recursive: true });
      await empty.drop();
    }
  },
  60_000,
);
