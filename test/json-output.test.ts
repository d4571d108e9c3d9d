import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { tableOf } from "../src/cli/command-table.ts";
import { makeProgram } from "../src/cli/program.ts";
import { startServer, type TestServer } from "./support/server.ts";

/** They print no result of their own: the server's log, a script for a shell, a page for man. */
const exempt = new Set(["serve", "completion", "man"]);

test("every command that prints a result prints it as JSON too", () => {
  const commands = tableOf(makeProgram()).filter(({ path, below }) => path.length > 0 && below.length === 0);
  const lacking = commands.filter(({ options }) => !options.some(({ names }) => names.includes("--json")));
  expect(new Set(lacking.map(({ path }) => path.join(" ")))).toEqual(exempt);
});

describe("what they print then is JSON and nothing else", () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
    await server.addAccount("ann@json.example", "correct horse");
  }, 60_000);
  afterAll(() => server?.dispose());

  const json = async (...args: string[]) => {
    const { code, stdout, stderr } = await server.cli([...args, "--json"]);
    expect(code, `${args.join(" ")}: ${stderr}`).toBe(0);
    return JSON.parse(stdout) as unknown;
  };

  test("of acts", async () => {
    const ann = "ann@json.example";
    const [added, domain, token] = await Promise.all([
      json("account", "add", "cleo@json.example"),
      json("domain", "add", "more.example"),
      json("token", "add", ann, "--label", "x"),
    ]);
    expect(added).toMatchObject({ address: "cleo@json.example", isNewDomain: false, password: expect.any(String) });
    expect(domain).toMatchObject({ domain: "more.example", isNew: true, records: expect.any(Array) });
    expect(token).toMatchObject({ login: ann, id: expect.any(String), secret: expect.stringMatching(/^posthorn_/) });
    const [, removed] = await Promise.all([
      json("token", "revoke", ann, (token as { id: string }).id),
      json("account", "remove", "cleo@json.example", "--yes"),
    ]);
    expect(removed).toMatchObject({ login: "cleo@json.example", addresses: ["cleo@json.example"] });
  }, 60_000);

  test("of questions", async () => {
    const ann = "ann@json.example";
    const [accounts, quota] = await Promise.all([
      json("account", "list"),
      json("account", "quota", ann),
      json("doctor"),
      json("quarantine", "list"),
      json("blobs", "status"),
      json("domain", "rotate-key", "json.example", "--dry-run"),
    ]);
    expect(accounts).toContainEqual(expect.objectContaining({ login: ann }));
    expect(quota).toMatchObject({ login: ann, used: 0 });
  }, 60_000);
});
