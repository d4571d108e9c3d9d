import { randomBytes } from "node:crypto";
import { Resolver } from "node:dns/promises";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { addAccount, removeAccount } from "../src/admin/accounts.ts";
import type { Admin } from "../src/admin/admin.ts";
import { addOperator, removeOperator } from "../src/admin/operators.ts";
import { addAppPassword, addToken } from "../src/admin/tokens.ts";
import { systemClock } from "../src/base/clock.ts";
import { silentLog } from "../src/base/log.ts";
import { serve } from "../src/cli/serve.ts";
import { unlessTaken } from "../src/cli/usual-door.ts";
import { load } from "../src/config/load.ts";
import { capabilities } from "../src/jmap/capability-names.ts";
import { ProcessBus } from "../src/push/bus.ts";
import { unprepared } from "../src/store/core/sql.ts";
import { Store } from "../src/store/core/store.ts";
import { afterwards } from "./support/afterwards.ts";
import { basic } from "./support/http-world.ts";
import { freePorts } from "./support/ports.ts";
import { createTestDatabase, urlOf } from "./support/postgres.ts";

const password = "correct horse battery";
const own = { "sec-fetch-site": "same-origin" };
const echo = ["Core/echo", {}, "c"];
let admin: Admin;
let publicPort: number;
let operatorPort: number;

beforeAll(async () => {
  const { database, connection } = await createTestDatabase();
  const store = new Store({ database, clock: systemClock, log: silentLog });
  const bus = new ProcessBus({ store, log: silentLog });
  admin = { store, bus, random: randomBytes, log: silentLog, who: "test" };
  const folder = mkdtempSync(join(tmpdir(), "posthorn-door-"));
  const [http, smtp, operator] = (await freePorts(3)) as [number, number, number];
  [publicPort, operatorPort] = [http, operator];
  const flags = {
    ...{ data: folder, metrics: "off", demo: "false", web: "on", resolver: "127.0.0.1:1", roles: "http" },
    ...{ http: `127.0.0.1:${http}`, smtp: `127.0.0.1:${smtp}`, operator: `127.0.0.1:${operator}` },
  };
  const { config } = load({ DATABASE_URL: urlOf(connection) }, flags);
  const resolver = new Resolver({ timeout: 100, tries: 1 });
  const running = await serve(config, { clock: systemClock, resolver, random: randomBytes, log: silentLog });
  afterwards(async () => {
    await running.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  expect(running.urls.operator).toBe(`http://127.0.0.1:${operator}`);
  for (const name of ["root", "ann"]) {
    await addAccount(admin, { address: `${name}@here.test`, name: "", password, quota: 0 });
  }
  await addOperator(admin, "root@here.test", { role: "admin", domains: [] });
});

interface Answer {
  status: number;
  headers: import("node:http").IncomingHttpHeaders;
  body: Record<string, unknown>;
}

async function ask(port: number, path: string, headers: Record<string, string>, body?: object): Promise<Answer> {
  const method = body ? "POST" : "GET";
  const type = body ? { "content-type": "application/json" } : {};
  const asked = request({ port, host: "127.0.0.1", path, method, headers: { ...type, ...headers } });
  asked.end(body && JSON.stringify(body));
  const [answer] = (await once(asked, "response")) as [import("node:http").IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  return { status: answer.statusCode!, headers: answer.headers, body: text.startsWith("{") ? JSON.parse(text) : {} };
}
const asRoot = () => ({ authorization: basic("root@here.test", password) });
const session = (headers: Record<string, string>, port = operatorPort) => ask(port, "/jmap/session", headers);
const signIn = (port: number, username: string, headers: Record<string, string> = own) =>
  ask(port, "/auth/login", headers, { username, password, stay: true });
const cookieOf = ({ headers }: Answer) => headers["set-cookie"]![0]!.split(";")[0]!;

describe("at the public door", () => {
  test("the operators' capability is unknown, to an operator too", async () => {
    const body = { using: [capabilities.core, capabilities.operator], methodCalls: [echo] };
    const refused = await ask(publicPort, "/jmap/api", asRoot(), body);
    expect(refused.status).toBe(400);
    expect(refused.body.type).toBe("urn:ietf:params:jmap:error:unknownCapability");
    expect((await session(asRoot(), publicPort)).body.capabilities).not.toHaveProperty([capabilities.operator]);
  });

  test.each(["Overview/get", "Account/query", "Account/set", "QueuedMessage/set", "Operator/set"])(
    "%s is an unknown method",
    async (name) => {
      const body = { using: [capabilities.core], methodCalls: [[name, {}, "c"]] };
      const { body: answer } = await ask(publicPort, "/jmap/api", asRoot(), body);
      expect(answer.methodResponses).toMatchObject([["error", { type: "unknownMethod" }, "c"]]);
    },
  );

  test("its pages have none of the operators'", async () => {
    const page = await fetch(`http://127.0.0.1:${operatorPort}/`).then((answer) => answer.text());
    const [, script] = /src="(\/assets\/operator-[^"]+)"/.exec(page)!;
    expect((await fetch(`http://127.0.0.1:${operatorPort}${script}`)).status).toBe(200);
    expect((await fetch(`http://127.0.0.1:${publicPort}${script}`)).status).toBe(404);
  });
});

describe("at the operators' door", () => {
  test("an operator is told what it is, and has no account to read mail of", async () => {
    const { status, body } = await session(asRoot());
    expect(status).toBe(200);
    expect(body).toMatchObject({ username: "root@here.test", accounts: {}, primaryAccounts: {} });
    expect((body.capabilities as object)[capabilities.operator as never]).toEqual({
      login: "root@here.test",
      role: "admin",
      domains: null,
    });
    const mail = { using: [capabilities.core, capabilities.mail], methodCalls: [echo] };
    expect((await ask(operatorPort, "/jmap/api", asRoot(), mail)).body.type).toContain("unknownCapability");
  });

  test("nobody else comes in, nor does an operator by what a program or the inbox signs in with", async () => {
    const app = await addAppPassword(admin, "root@here.test", "phone");
    const token = await addToken(admin, "root@here.test", { label: "operator", days: undefined });
    const inbox = cookieOf(await signIn(publicPort, "root@here.test")).replace(/^[^=]*=/, "");
    for (const authorization of [
      basic("ann@here.test", password),
      basic("root@here.test", "wrong"),
      basic("root@here.test", app.secret),
      `Bearer ${token.secret}`,
      `Bearer ${inbox}`,
    ]) {
      expect((await session({ authorization })).status).toBe(401);
    }
    // The same open the inbox, but for those that are wrong.
    expect((await session({ authorization: `Bearer ${inbox}` }, publicPort)).status).toBe(200);
    expect((await session({})).status).toBe(401);
  });

  test("signing in gives a cookie of its own name, that lasts with the browser, 12 hours at most", async () => {
    const answer = await signIn(operatorPort, "root@here.test");
    expect(answer.status).toBe(204);
    expect(answer.headers["set-cookie"]).toEqual([
      expect.stringMatching(/^posthorn-operator=posthorn_\d+\.[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/),
    ]);
    const cookie = cookieOf(answer);
    expect((await session({ ...own, cookie })).status).toBe(200);
    // Cookies do not tell ports apart: neither counts at the other door, under either name.
    expect((await session({ ...own, cookie }, publicPort)).status).toBe(401);
    const inbox = cookieOf(await signIn(publicPort, "root@here.test"));
    expect((await session({ ...own, cookie: inbox })).status).toBe(401);
    expect((await session({ ...own, cookie: inbox.replace(/^[^=]*/, "posthorn-operator") })).status).toBe(401);
    const rows = await admin.store.database.run(
      unprepared<{ hours: number }>(
        "/* test */ -- crosses accounts\nSELECT extract(epoch FROM expires_at - created_at)::int / 3600 AS hours FROM token WHERE label = 'operator' AND is_web",
      ),
      [],
    );
    expect(rows.map(({ hours }) => hours)).toEqual([12]);
  });

  test.each(["same-site", "cross-site", "none"])("a page of %s can use the cookie for nothing", async (site) => {
    const cookie = cookieOf(await signIn(operatorPort, "root@here.test"));
    const foreign = { "sec-fetch-site": site, cookie };
    expect((await session(foreign)).status).toBe(401);
    const body = { using: [capabilities.core], methodCalls: [echo] };
    expect((await ask(operatorPort, "/jmap/api", foreign, body)).status).toBe(401);
    expect((await signIn(operatorPort, "root@here.test", { "sec-fetch-site": site })).status).toBe(403);
    expect((await ask(operatorPort, "/auth/logout", foreign, {})).status).toBe(403);
    const origin = { origin: `http://127.0.0.1:${publicPort}`, cookie };
    expect((await session(origin)).status).toBe(401);
  });

  test("somebody who is no operator cannot sign in, and is told why only with the right password", async () => {
    expect((await signIn(operatorPort, "ann@here.test")).status).toBe(403);
    const wrong = { username: "ann@here.test", password: "wrong", stay: false };
    expect((await ask(operatorPort, "/auth/login", own, wrong)).status).toBe(401);
  });

  test("what is taken from an operator ends at once", async () => {
    await addAccount(admin, { address: "eve@here.test", name: "", password, quota: 0 });
    await addOperator(admin, "eve@here.test", { role: "admin", domains: [] });
    const cookie = cookieOf(await signIn(operatorPort, "eve@here.test"));
    const roles = async () => {
      const { status, body } = await session({ ...own, cookie });
      return status === 200
        ? (body.capabilities as Record<string, { role: string }>)[capabilities.operator]!.role
        : status;
    };
    expect(await roles()).toBe("admin");
    await addOperator(admin, "eve@here.test", { role: "read-only", domains: [] });
    expect(await roles()).toBe("read-only");
    const set = {
      using: [capabilities.operator],
      methodCalls: [["Domain/set", { create: { n: { name: "x.test" } } }, "c"]],
    };
    const { body } = await ask(operatorPort, "/jmap/api", { ...own, cookie }, set);
    expect(body.methodResponses).toMatchObject([["error", { type: "forbidden" }, "c"]]);
    await removeOperator(admin, "eve@here.test");
    expect(await roles()).toBe(401);
  });

  test("an account that was removed and made anew is no operator", async () => {
    const add = () => addAccount(admin, { address: "mal@here.test", name: "", password, quota: 0 });
    await add();
    await addOperator(admin, "mal@here.test", { role: "admin", domains: [] });
    expect((await session({ authorization: basic("mal@here.test", password) })).status).toBe(200);
    await removeAccount(admin, "mal@here.test");
    await add();
    expect((await session({ authorization: basic("mal@here.test", password) })).status).toBe(401);
  });
});

test("a server starts though another program has the usual address, but not if its operator has named it", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as { port: number };
  const listen = () =>
    new Promise<number>((resolve, reject) => {
      const server = createServer().once("error", reject);
      server.listen(port, "127.0.0.1", () => resolve(port));
    });
  const usual = load({}, {}).config;
  const named = load({}, { operator: "127.0.0.1:4711" }).config;
  const warned: unknown[] = [];
  const log = { ...silentLog, warn: (fields: object) => void warned.push(fields) };
  expect(await unlessTaken(usual, log, listen)).toBeUndefined();
  expect(warned).toEqual([{ address: "127.0.0.1:8081", option: "--operator" }]);
  await expect(unlessTaken(named, log, listen)).rejects.toThrow("EADDRINUSE");
  other.close();
});
