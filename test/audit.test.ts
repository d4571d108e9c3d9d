import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startServer, type TestServer } from "./support/server.ts";

let server: TestServer;
const ann = "ann@audit.example";

beforeAll(async () => {
  server = await startServer({ isShared: true });
  await server.addAccount(ann, "sesame");
}, 120_000);
afterAll(() => server?.dispose());

const audit = (...args: string[]) => server.cli(["audit", ...args]);
type Json = { rows: { seq: number; who: string; what: object; hash: string }[]; older: number | null };
const json = async (...args: string[]) => JSON.parse((await audit("--json", ...args)).stdout) as Json;

test("the audit lists what the first start and commands did, newest first, with who did it", async () => {
  const { rows } = await json();
  expect(rows.map(({ seq, what }) => ({ seq, ...what }))).toEqual([
    { seq: 2, act: "domain.add", domain: "audit.example" },
    { seq: 1, act: "domain.add", domain: "posthorn.test" },
  ]);
  expect(rows.map(({ who }) => who)).toEqual([expect.stringMatching(/^cli:\S+$/), "serve"]);
  const { stdout } = await audit("--account", ann);
  const at = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z +cli:\S+ +`;
  expect(stdout).toMatch(
    new RegExp(
      `^SEQ +AT +WHO +WHAT\n2 +${at}address\\.add address=postmaster@audit\\.example\n1 +${at}account\\.add address=${ann}\n$`,
    ),
  );
});

test("the audit is read page by page", async () => {
  await server.cli(["account", "quota", ann, "1GB"]);
  await server.cli(["account", "quota", ann, "none"]);
  const first = await audit("--account", ann, "--limit", "3");
  expect(first.stdout).toMatch(
    /^4 .*account\.quota limit=none\n3 .*account\.quota limit=1000000000\n2 .*\nFor older rows: --before 2\n$/m,
  );
  const last = await json("--account", ann, "--limit", "3", "--before", "2");
  expect(last).toMatchObject({ rows: [{ seq: 1 }], older: null });
  expect((await audit("--account", ann, "--before", "1")).stdout).toBe("There are no rows.\n");
}, 60_000);

test("--verify names the first changed row of a chain, with exit code 1", async () => {
  const { rows } = await json("--account", ann);
  const { length } = rows;
  const sound = `All ${length} rows are unchanged; the last has the hash ${rows[0]!.hash}.\n`;
  expect(await audit("--account", ann, "--verify")).toEqual({ code: 0, stdout: sound, stderr: "" });
  expect(await audit("--verify", "--json")).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('"broken": null'),
  });

  const client = new pg.Client(server.connection);
  await client.connect();
  const of = "user_id = (SELECT user_id FROM login WHERE login = $1)";
  await client.query(`/* test */ UPDATE audit SET who = 'nobody' WHERE seq = 2 AND ${of}`, [ann]);
  const changed = { code: 1, stdout: "Row 2 was changed.\n", stderr: "" };
  expect(await audit("--account", ann, "--verify")).toEqual(changed);
  await client.query(`/* test */ DELETE FROM audit WHERE seq = 1 AND ${of}`, [ann]);
  await client.end();
  const { code, stdout } = await audit("--account", ann, "--verify", "--json");
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({ sound: 0, broken: { seq: 1, problem: "missing" } });
  expect((await audit("--verify")).code).toBe(0);
}, 60_000);

test("the number of a removed account stays in the audit", async () => {
  const gone = "gone@audit.example";
  await server.addAccount(gone, "sesame");
  await server.cli(["account", "remove", gone, "--yes"]);
  const { stdout } = await audit("--limit", "1");
  expect(stdout).toMatch(/account\.remove account=\d+\n/);
  expect(stdout).not.toContain(gone);
  const refused = { code: 1, stderr: `posthorn: there is no account ${gone} (see: posthorn account list)\n` };
  expect(await audit("--account", gone)).toMatchObject(refused);
}, 60_000);

test("an option that is not a positive whole number is refused", async () => {
  for (const args of [
    ["--limit", "0"],
    ["--before", "x"],
  ]) {
    const { code, stderr } = await audit(...args);
    expect(code).toBe(1);
    expect(stderr).toContain("It must be a positive whole number.");
  }
});
