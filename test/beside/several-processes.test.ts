import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Client, connect, one, responseArgs } from "../../conformance/client/client.ts";
import type { GetResult, QueryResult, SetResult } from "../../conformance/client/types.ts";
import { openWebSocket } from "../../conformance/client/websocket.ts";
import { type DnsServer, startDns } from "../support/dns.ts";
import { until } from "../support/ports.ts";
import { createTestDatabase, urlOf } from "../support/postgres.ts";
import { startRedis } from "../support/redis.ts";
import { type RedisServer, whyNoRedis } from "../support/redis-server.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { type SmtpSink, startSink } from "../support/smtp-sink.ts";

const patient = { timeout: 10_000, interval: 5 };

/** Two servers for clients and one that sends mail, on one database, with and without Redis. */
describe.each([
  ["the database", false],
  ["Redis", true],
])("processes that tell each other by %s", (_, isByRedis) => {
  describe.skipIf(isByRedis && whyNoRedis)("on one database", async () => {
    const { connection } = await createTestDatabase();
    const redis: RedisServer | undefined = isByRedis && !whyNoRedis ? await startRedis() : undefined;
    const login = ["alice@home.test", "correct horse"] as const;
    const servers: TestServer[] = [];
    let folder: string;
    let dns: DnsServer;
    let sink: SmtpSink;
    let alice: Client;

    const start = async (roles: string) => {
      const server = await startServer({
        dataFolder: join(folder, "data"),
        startTimeoutMs: 110_000,
        env: {
          DATABASE_URL: urlOf(connection),
          POSTHORN_ROLES: roles,
          POSTHORN_RESOLVER: dns.address,
          POSTHORN_MX_PORT: String(sink.port),
          POSTHORN_ALLOW_PRIVATE_TARGETS: "true",
          POSTHORN_DEMO: "false",
          // With Redis, those that serve clients have children that each use it.
          ...(redis && { POSTHORN_REDIS: redis.url, POSTHORN_WORKERS: roles === "http" ? "2" : "1" }),
        },
      });
      return server;
    };
    const metric = async (server: TestServer, pattern: RegExp) =>
      Number(pattern.exec(await (await fetch(server.metricsUrl)).text())?.[1] ?? 0);

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "posthorn-several-"));
      sink = await startSink();
      dns = await startDns({
        "remote.test": { MX: { preference: 10, exchange: "mx.remote.test" } },
        "mx.remote.test": { A: "127.0.0.1" },
      });
      const started = await Promise.all(["http", "http", "smtp-out"].map(start));
      const [http] = started as [TestServer];
      servers.push(...started);
      await http.addAccount(...login);
      alice = await http.login(...login);
    }, 120_000);
    afterAll(async () => {
      await Promise.all(servers.map((server) => server.dispose()));
      await sink?.stop();
      await dns?.stop();
      await rm(folder, { recursive: true, force: true });
    });

    async function send(subject: string): Promise<number> {
      const { accountId } = alice;
      const { list } = await one<GetResult>(alice, "Identity/get", { accountId });
      const { ids } = await one<QueryResult>(alice, "Mailbox/query", { accountId, filter: { role: "drafts" } });
      const bodyValues = { t: { value: "Hello" } };
      const to = [{ email: "bob@remote.test" }];
      const create = {
        mail: {
          ...{ mailboxIds: { [ids[0]!]: true }, from: [{ email: login[0] }], to, subject },
          ...{ bodyValues, textBody: [{ partId: "t", type: "text/plain" }] },
        },
      };
      const [, submitted] = await alice.call([
        ["Email/set", { accountId, create }, "0"],
        ["EmailSubmission/set", { accountId, create: { s: { emailId: "#mail", identityId: list[0]!.id } } }, "1"],
      ]);
      expect(responseArgs<SetResult>(submitted!, "EmailSubmission/set").created).toHaveProperty("s");
      return performance.now();
    }

    test("mail that one of them queues is taken up at once by the one that sends", async () => {
      const times: number[] = [];
      await send("warm up");
      await until("it is sent", () => sink.messages.length === 1);
      for (let count = 2; count <= 12; count++) {
        const queued = await send(`mail ${count}`);
        await until("it is sent", () => sink.messages.length === count, { everyMs: 1 });
        times.push(performance.now() - queued);
      }
      times.sort((a, b) => a - b);
      console.log(
        `from the answer to the whole mail: median ${times[5]?.toFixed(0)}, most ${times[10]?.toFixed(0)} ms`,
      );
      // Under 40 ms on two busy cores. Without being told, the sender looks every two seconds.
      expect(times[5]).toBeLessThan(250);
      expect(times[8]).toBeLessThan(1_500);
    });

    test("a change is pushed by the other process, and a changed password ends what it has open", async () => {
      const [, other] = servers as [TestServer, TestServer];
      const there = await connect({ url: other.url, user: login[0], password: login[1] });
      const socket = await openWebSocket(there);
      await socket.enablePush(null);
      await one(alice, "Mailbox/set", { accountId: alice.accountId, create: { m: { name: "from here" } } });
      const { changed } = await socket.nextPush(2_000);
      expect(changed[alice.accountId]).toHaveProperty("Mailbox");
      const ask = () =>
        fetch(`${other.url}/jmap/session`, {
          headers: { Authorization: `Basic ${btoa(login.join(":"))}`, connection: "close" },
        }).then(({ status }) => status);
      expect(await ask()).toBe(200);
      expect((await other.cli(["account", "passwd", login[0], "--password-stdin"], "another one\n")).code).toBe(0);
      await expect.poll(ask, patient).toBe(401);
      await other.cli(["account", "passwd", login[0], "--password-stdin"], `${login[1]}\n`);
      await expect.poll(ask, patient).toBe(200);
    });

    test.runIf(isByRedis)("Redis is told in the metrics, and its death in /readyz and to no client", async () => {
      const [http] = servers as [TestServer];
      expect(await metric(http, /^posthorn_redis_up (\d)/m)).toBe(1);
      expect(await metric(http, /^posthorn_redis_seconds_count{use="bus",outcome="answered"} (\d+)/m)).toBeGreaterThan(
        0,
      );
      await redis!.stop();
      const ready = () => fetch(`${http.url}/readyz`).then(async (answer) => [answer.status, await answer.text()]);
      await expect
        .poll(ready, patient)
        .toEqual([200, expect.stringMatching(/"ready":true.*"redis":"gives no answer"/)]);
      expect(await metric(http, /^posthorn_redis_up (\d)/m)).toBe(0);
      const begin = performance.now();
      for (let count = 0; count < 20; count++) await one(alice, "Mailbox/get", { accountId: alice.accountId });
      expect(performance.now() - begin).toBeLessThan(5_000);
      await send("without Redis");
      await until("it is sent all the same", () => sink.messages.some(({ raw }) => raw.includes("without Redis")));
      await redis!.start();
      await expect.poll(ready, patient).toEqual([200, "ready\n"]);
    });
  });
});
