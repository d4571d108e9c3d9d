import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { encodeId } from "../../src/base/ids.ts";
import { Blobs } from "../../src/store/blobs/blobs.ts";
import { DiskObjects } from "../../src/store/blobs/objects/disk.ts";
import { startMailHost } from "../smtp/host.ts";
import { afterwards } from "../support/afterwards.ts";
import { basic, createHttpWorld, known } from "../support/http-world.ts";
import { until } from "../support/ports.ts";
import { SmallDisk } from "../support/small-disk.ts";
import { deliver, type SmtpFailure } from "../support/smtp-client.ts";

const disk = SmallDisk.mount(800_000);
afterwards(() => disk?.dispose());
const folder = disk ? join(disk.folder, "blobs") : "";

test.runIf(disk)("a full or read-only disk is a temporary error for clients, and is logged once", async () => {
  const world = await createHttpWorld();
  const { services } = world.deps;
  const { clock, random } = services;
  services.blobs = new Blobs({ objects: new DiskObjects({ folder, clock, random }), clock, cacheBytes: 0 });
  const account = encodeId("u", world.account);
  const ask = async (path: string, type: string, body: string | Buffer) => {
    const headers = { Authorization: basic(known.user, known.password), "Content-Type": type };
    const response = await fetch(`http://127.0.0.1:${world.port}${path}`, { method: "POST", headers, body });
    return { response, json: (await response.json()) as Record<string, never> };
  };
  const upload = (octets = 5_000) => ask(`/jmap/upload/${account}/`, "text/plain", randomBytes(octets));
  const call = async (name: string, args: object) => {
    const using = ["core", "mail", "blob"].map((capability) => `urn:ietf:params:jmap:${capability}`);
    const body = JSON.stringify({ using, methodCalls: [[name, { accountId: account, ...args }, "0"]] });
    const { json } = await ask("/jmap/api", "application/json", body);
    return (json.methodResponses as unknown as [string, object][])[0]!;
  };
  const draft = { create: { a: { mailboxIds: { [(await inbox())!]: true }, subject: "x".repeat(9_000) } } };
  const uploads = { create: { a: { data: [{ "data:asText": "y".repeat(9_000) }] } } };
  async function inbox(): Promise<string | undefined> {
    const [, { list }] = (await call("Mailbox/get", {})) as [string, { list: { id: string; role: string }[] }];
    return list.find(({ role }) => role === "inbox")?.id;
  }

  const refuses = async (told: number) => {
    for (let count = 0; count < 3; count++) {
      const { response, json } = await upload();
      expect([response.status, response.headers.get("retry-after"), json.type]).toEqual([503, "30", "about:blank"]);
      expect(JSON.stringify(json)).not.toContain(folder);
    }
    for (const [name, args] of [
      ["Email/set", draft],
      ["Blob/upload", uploads],
    ] as const) {
      expect(await call(name, args)).toMatchObject(["error", { type: "serverUnavailable" }, "0"]);
    }
    expect(world.failures).toHaveLength(told);
  };
  expect((await upload()).response.status).toBe(201);
  // Larger than the space left, and than what is kept in memory.
  expect((await upload(2_000_000)).response.status).toBe(503);
  expect(world.failures).toMatchObject([{ code: "ENOSPC" }]);
  disk!.fill();
  await refuses(1);
  disk!.empty();
  expect((await upload()).response.status).toBe(201);
  expect(await call("Email/set", draft)).toMatchObject(["Email/set", { created: { a: {} } }, "0"]);
  disk!.remount("ro");
  await refuses(2);
  expect(world.failures[1]).toMatchObject({ code: "EROFS" });
  disk!.remount("rw");
  expect((await upload()).response.status).toBe(201);
});

test.runIf(disk)("a peer is told to try again later", async () => {
  const host = await startMailHost();
  afterwards(() => host.stop());
  const blobs = join(host.folder, "blobs");
  mkdirSync(blobs);
  const small = SmallDisk.mount(300_000, blobs)!;
  afterwards(() => small.dispose());
  await host.listen({ maxMessageSize: 1_000_000 });
  const ann = await host.account("ann@here.test");
  const send = (octets = 20_000) =>
    deliver({
      port: host.smtpPort,
      from: "eve@there.test",
      to: "ann@here.test",
      data: `From: eve@there.test\r\nSubject: disk\r\n\r\n${`${"z".repeat(70)}\r\n`.repeat(octets / 72)}`,
    }).then(
      () => "250",
      (error: SmtpFailure) => error.line,
    );
  expect(await send()).toBe("250");
  small.fill();
  for (let count = 0; count < 3; count++) expect(await send()).toMatch(/^452 4\.3\.1 /);
  expect(host.warnings).toMatchObject([{ code: "ENOSPC" }]);
  small.empty();
  expect(await send(500_000)).toMatch(/^452 4\.3\.1 /);
  expect(await send(21_000)).toBe("250");
  await until("the mails", async () => (await host.mails(ann)).length === 2);
  expect(host.warnings).toHaveLength(1);
});
