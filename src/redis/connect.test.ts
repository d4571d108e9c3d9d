import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import selfsigned from "selfsigned";
import { describe, expect, test } from "vitest";
import { afterwards } from "../../test/support/afterwards.ts";
import { freePorts, until } from "../../test/support/ports.ts";
import { linkTo, startRedis, up } from "../../test/support/redis.ts";
import { RedisServer, whyNoRedis } from "../../test/support/redis-server.ts";
import type { RedisPlace } from "./connect.ts";

describe.skipIf(whyNoRedis)("a connection", () => {
  test("signs in as an ACL user who may only use the keys and channels of the prefix", async () => {
    const server = await startRedis();
    const rules = [
      "on",
      ">secret",
      "~mine:*",
      "&mine:*",
      "+@all",
      "-@admin",
      "-@dangerous",
      "+info",
      "+cluster|slots",
      "+cluster|info",
    ];
    server.cli("acl", "setuser", "posthorn", ...rules);
    server.cli("acl", "setuser", "default", "off");
    const place: RedisPlace = {
      ...{ kind: "single", hosts: [{ host: "127.0.0.1", port: server.port }], db: 0 },
      ...{ username: "posthorn", password: "secret" },
    };
    const mine = await up(linkTo(server, { place, prefix: "mine:", maxWaitMs: 5_000 }));
    expect(await mine.ask("cache", "mine:a", (client, key) => client.set(key, "1"))).toBe("OK");
    expect(await mine.ask("cache", "others:a", (client, key) => client.set(key, "1"))).toBeUndefined();
    const wrong = linkTo(server, { place: { ...place, password: "wrong" } });
    await wrong.connected(300);
    expect(wrong.isUp).toBe(false);
  });

  test("over TLS is made only if the certificate is by the given authority", async () => {
    const folder = mkdtempSync(join(tmpdir(), "redis-tls-"));
    afterwards(() => rmSync(folder, { recursive: true }));
    const altNames = [{ type: 7 as const, ip: "127.0.0.1" }];
    const extensions = [{ name: "subjectAltName" as const, altNames }];
    const pems = await selfsigned.generate([{ name: "commonName", value: "redis.test" }], { extensions });
    for (const [name, pem] of [
      ["cert", pems.cert],
      ["key", pems.private],
    ] as const) {
      writeFileSync(join(folder, name), pem);
    }
    const [port] = await freePorts(1);
    const tls = `--tls-port ${port} --tls-auth-clients no --tls-cert-file ${folder}/cert --tls-key-file ${folder}/key`;
    const server = await startRedis(...tls.split(" "), "--tls-ca-cert-file", `${folder}/cert`);
    const place: RedisPlace = { kind: "single", hosts: [{ host: "127.0.0.1", port: port! }], db: 0, tls: {} };
    const ca = readFileSync(join(folder, "cert"), "utf8");
    await up(linkTo(server, { place: { ...place, tls: { ca } } }));
    const distrustful = linkTo(server, { place });
    await distrustful.connected(300);
    expect(distrustful.isUp).toBe(false);
  });

  test("by way of Sentinels follows the server that they make the first", async () => {
    const [first, second] = [await startRedis(), await startRedis()];
    second.cli("replicaof", "127.0.0.1", String(first.port));
    const folder = mkdtempSync(join(tmpdir(), "redis-sentinel-"));
    afterwards(() => rmSync(folder, { recursive: true }));
    const [port] = await freePorts(1);
    const file = join(folder, "sentinel.conf");
    const lines = [
      `monitor mail 127.0.0.1 ${first.port} 1`,
      "down-after-milliseconds mail 500",
      "failover-timeout mail 2000",
    ];
    writeFileSync(file, lines.map((line) => `sentinel ${line}\n`).join(""));
    const sentinel = await new RedisServer(port!, ["--sentinel"], file).start();
    afterwards(() => sentinel.dispose());
    const place: RedisPlace = { kind: "sentinel", hosts: [{ host: "127.0.0.1", port: port! }], master: "mail", db: 0 };
    const link = await up(linkTo(first, { place, prefix: "p:", maxWaitMs: 5_000 }));
    const put = (value: string) => link.ask("cache", "p:a", (client, key) => client.set(key, value));
    expect(await put("1")).toBe("OK");
    expect(first.cli("get", "p:a")).toBe("1");
    await until(
      "Sentinel knows the replica",
      () => sentinel.cli("sentinel", "replicas", "mail").includes(String(second.port)),
      {
        timeoutMs: 8_000,
        everyMs: 200,
      },
    );
    await first.stop();
    await until("the second takes over", async () => (await put("2")) === "OK", { timeoutMs: 20_000, everyMs: 100 });
    expect(second.cli("get", "p:a")).toBe("2");
  });
});
