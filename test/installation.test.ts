import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { freePorts } from "./support/ports.ts";
import { TestServer } from "./support/server.ts";

let server: TestServer;
afterEach(() => server.dispose());

test("a server does not start on the bodies of another database, until the operator says that they belong together", async () => {
  server = new TestServer(
    { isEmbedded: true, env: { POSTHORN_DEMO: "false" } },
    (await freePorts(3)) as [number, number, number],
  );
  await server.start();
  await server.restart();
  await server.stop();
  rmSync(join(server.dataFolder, "pg"), { recursive: true });
  const { code, stderr } = await server.cli(["serve"]);
  expect(code).toBe(1);
  expect(stderr).toMatch(/posthorn: the message bodies belong to installation [0-9a-f]{16}, but the database to /);
  const mark = join(server.dataFolder, "blobs", "installation");
  rmSync(mark);
  await server.start();
  expect(existsSync(mark)).toBe(true);
}, 60_000);
