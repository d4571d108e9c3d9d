import { stat } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { TemporaryFiles } from "../../src/store/blobs/objects/temporary.ts";
import { until } from "../support/ports.ts";
import { deliver } from "../support/smtp-client.ts";
import { type MailHost, startMailHost } from "./host.ts";

let host: MailHost;
let ada: number;

beforeAll(async () => {
  host = await startMailHost({ pileBytes: 5_000_000 });
  await host.listen({ maxMessageSize: 5_000_000 });
  ada = await host.account("ada@here.test");
});
afterAll(() => host.stop());

test("a large message is written to disk once, before it is accepted", async () => {
  const written = vi.spyOn(TemporaryFiles.prototype, "name");
  const data = `From: eve@there.test\r\nSubject: Large\r\n\r\n${"0123456789012345678\r\n".repeat(150_000)}`;
  await deliver({ port: host.smtpPort, from: "eve@there.test", to: "ada@here.test", data });
  const path = written.mock.results[0]!.value;
  expect(written).toHaveBeenCalledTimes(1);
  await expect(stat(path)).rejects.toThrow();
  const objects = [];
  for (const day of await host.blobs.objects.days()) {
    for await (const { sha256 } of host.blobs.objects.list(day)) {
      objects.push((await stat(join(host.folder, "blobs", day, sha256.toString("hex")))).size);
    }
  }
  expect(objects).toHaveLength(1);
  expect(objects[0]).toBeGreaterThan(data.length);
  const { raw } = await until("the mail", async () => (await host.mails(ada))[0]);
  expect(raw.endsWith(data)).toBe(true);
});
