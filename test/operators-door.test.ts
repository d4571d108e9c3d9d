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
import { requireSecondFactor, resetSecondFactors } from "../src/admin/second-factors.ts";
import { addAppPassword, addToken } from "../src/admin/tokens.ts";
import { stepAt, totpCode } from "../src/auth/totp.ts";
import { systemClock } from "../src/base/clock.ts";
import { silentLog } from "../src/base/log.ts";
import { serve } from "../src/cli/serve.ts";
import { unlessTaken } from "../src/cli/usual-door.ts";
import { load } from "../src/config/load.ts";
import { capabilities } from "../src/jmap/capability-names.ts";
import { idOfText } from "../src/jmap/operator/records.ts";
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
/** The cookie of an operator who has a second factor. */
let rootCookie: string;
const asRoot = () => ({ ...own, cookie: rootCookie });
const session = (headers: Record<string, string>, port = operatorPort) => ask(port, "/jmap/session", headers);
const signIn = (port: number, username: string, headers: Record<string, string> = own) =>
  ask(port, "/auth/login", headers, { username, password, stay: true });
const cookieOf = ({ headers }: Answer) => headers["set-cookie"]![0]!.split(";")[0]!;
const post = (path: string, body: object, port = operatorPort, cookie = "") =>
  ask(port, path, { ...own, ...(cookie !== "" && { cookie }) }, body);

/** What an authenticator app shows for a secret as people type it, so many steps from now. */
function appCode(secret: unknown, by = 0): string {
  const bits = [...String(secret)].map((one) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(one));
  const bytes = bits
    .map((one) => one.toString(2).padStart(5, "0"))
    .join("")
    .match(/.{8}/g)!;
  return totpCode(Buffer.from(bytes.map((byte) => Number.parseInt(byte, 2))), stepAt(new Date()) + by);
}

/** Signs in an operator who has no second factor yet, and sets one up. */
async function enrol(username: string, port = operatorPort) {
  const begun = await signIn(port, username);
  expect([begun.status, begun.body.step]).toEqual([200, "set-up"]);
  const { ticket, secret } = (await post("/auth/factors/totp/begin", { ticket: begun.body.ticket }, port)).body;
  const added = await post("/auth/factors/totp", { ticket, code: appCode(secret) }, port);
  return { cookie: cookieOf(added), secret, recoveryCodes: added.body.recoveryCodes as string[], begun: begun.body };
}
/** By a recovery code: an app's code counts once in 30 seconds. */
async function signInAgain(username: string, recoveryCode: string, port = operatorPort): Promise<Answer> {
  const { ticket } = (await signIn(port, username)).body;
  return post("/auth/second-factor", { ticket, recoveryCode }, port);
}
let rootCodes: string[];
beforeAll(async () => {
  const { cookie, recoveryCodes } = await enrol("root@here.test");
  [rootCookie, rootCodes] = [cookie, recoveryCodes];
});

describe("at the public door", () => {
  let token: string;
  beforeAll(async () => {
    token = (await addToken(admin, "root@here.test", { label: "script", days: undefined })).secret;
  });
  const asRoot = () => ({ authorization: `Bearer ${token}` });
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
    const inbox = cookieOf(await signInAgain("root@here.test", rootCodes.pop()!, publicPort)).replace(/^[^=]*=/, "");
    for (const authorization of [
      basic("ann@here.test", password),
      basic("root@here.test", password),
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
    const answer = await signInAgain("root@here.test", rootCodes.pop()!);
    expect(answer.status).toBe(204);
    expect(answer.headers["set-cookie"]).toEqual([
      expect.stringMatching(/^posthorn-operator=posthorn_\d+\.[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/),
    ]);
    const cookie = cookieOf(answer);
    expect((await session({ ...own, cookie })).status).toBe(200);
    // Cookies do not tell ports apart: neither counts at the other door, under either name.
    expect((await session({ ...own, cookie }, publicPort)).status).toBe(401);
    const inbox = cookieOf(await signInAgain("root@here.test", rootCodes.pop()!, publicPort));
    expect((await session({ ...own, cookie: inbox })).status).toBe(401);
    expect((await session({ ...own, cookie: inbox.replace(/^[^=]*/, "posthorn-operator") })).status).toBe(401);
    const rows = await admin.store.database.run(
      unprepared<{ hours: number }>(
        "/* test */ -- crosses accounts\nSELECT DISTINCT extract(epoch FROM expires_at - created_at)::int / 3600 AS hours FROM token WHERE label = 'operator' AND is_web",
      ),
      [],
    );
    expect(rows.map(({ hours }) => hours)).toEqual([12]);
  });

  test.each(["same-site", "cross-site", "none"])("a page of %s can use the cookie for nothing", async (site) => {
    const cookie = rootCookie;
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
    const { cookie } = await enrol("eve@here.test");
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
    const { cookie } = await enrol("mal@here.test");
    expect((await session({ ...own, cookie })).status).toBe(200);
    await removeAccount(admin, "mal@here.test");
    await add();
    expect((await session({ ...own, cookie })).status).toBe(401);
    expect((await signIn(operatorPort, "mal@here.test")).status).toBe(403);
  });
});

describe("without a second factor an operator gets nowhere:", () => {
  const names = ["uma", "ute", "ulf", "una", "udo"].map((name) => `${name}@here.test`);
  const [uma, ute, ulf, una, udo] = names as [string, string, string, string, string];
  const wanted = { status: 401, code: "second-factor-required" };
  const set = async (args: object) => {
    const body = { using: [capabilities.operator], methodCalls: [["Operator/set", args, "c"]] };
    const answer = await ask(operatorPort, "/jmap/api", asRoot(), body);
    return (answer.body.methodResponses as [string, object][])[0]![1];
  };
  beforeAll(async () => {
    for (const address of names) {
      await addAccount(admin, { address, name: "", password, quota: 0 });
      if (address !== una) await addOperator(admin, address, { role: "read-only", domains: [] });
    }
  });

  test("the password leads to setting one up, at both doors, and opens nothing else", async () => {
    for (const port of [operatorPort, publicPort]) {
      const { status, body, headers } = await signIn(port, uma);
      expect([status, body.step]).toEqual([200, "set-up"]);
      expect(headers["set-cookie"]).toBeUndefined();
      // The ticket is no credential.
      const ticket = String(body.ticket);
      expect((await session({ authorization: `Bearer ${ticket}` }, port)).status).toBe(401);
      expect((await session({ ...own, cookie: `posthorn-operator=${ticket}` }, port)).status).toBe(401);
      const refused = await session({ authorization: basic(uma, password) }, port);
      expect(refused.body).toMatchObject(wanted);
      const call = { using: [capabilities.core], methodCalls: [echo] };
      expect((await ask(port, "/jmap/api", { authorization: basic(uma, password) }, call)).body).toMatchObject(wanted);
    }
    // Nor does "prove" take a ticket that is for setting one up.
    const { ticket } = (await signIn(operatorPort, uma)).body;
    expect((await post("/auth/second-factor", { ticket, code: "000000" })).body).toMatchObject({ code: "begin-again" });
  });

  test("app passwords do not open the door of an operator who has one either; a recovery code signs in once", async () => {
    const { cookie, secret, recoveryCodes, begun } = await enrol(ute);
    expect((await session({ ...own, cookie })).status).toBe(200);
    const app = await addAppPassword(admin, ute, "phone");
    const refused = await session({ authorization: basic(ute, app.secret) });
    expect(refused.status).toBe(401);
    expect((await session({ authorization: basic(ute, app.secret) }, publicPort)).status).toBe(200);
    for (const door of [operatorPort, publicPort]) {
      expect((await session({ authorization: basic(ute, password) }, door)).body).toMatchObject(wanted);
    }
    expect((await signInAgain(ute, recoveryCodes[0]!)).status).toBe(204);
    expect((await signInAgain(ute, recoveryCodes[0]!)).status).toBe(401);
    // The code that proved the app is used up; and who knows the password adds no second app by the old ticket.
    const { ticket } = (await signIn(operatorPort, ute)).body;
    expect((await post("/auth/second-factor", { ticket, code: appCode(secret) })).status).toBe(401);
    const late = await post("/auth/factors/totp/begin", { ticket: begun.ticket });
    const taken = await post("/auth/factors/totp", { ticket: late.body.ticket, code: appCode(late.body.secret) });
    expect(taken.body).toMatchObject({ code: "begin-again" });
  });

  test("the last one cannot be taken away, and with all of them reset what was open ends at once", async () => {
    const { cookie } = await enrol(ulf);
    const { status, body } = await post("/auth/factors/remove", { id: "totp", password }, operatorPort, cookie);
    expect([status, body.code]).toEqual([409, "needed"]);
    expect((await session({ ...own, cookie })).status).toBe(200);
    await resetSecondFactors(admin, ulf);
    expect((await session({ ...own, cookie })).status).toBe(401);
    expect((await signIn(operatorPort, ulf)).body.step).toBe("set-up");
  });

  test("who was signed in before must set one up first, though nobody was told: API, page and WebSocket", async () => {
    const { cookie } = await enrol(udo);
    await session({ ...own, cookie });
    // As an older version left it: signed in, without a second factor, and verified a moment ago.
    const sql =
      "/* test */ -- crosses accounts\nDELETE FROM totp WHERE user_id = (SELECT user_id FROM operator WHERE login = $1)";
    await admin.store.database.run(unprepared(sql), [udo]);
    expect((await session({ ...own, cookie })).body).toMatchObject(wanted);
    const body = { using: [capabilities.operator], methodCalls: [["Overview/get", {}, "c"]] };
    const refused = await ask(operatorPort, "/jmap/api", { ...own, cookie }, body);
    expect(refused.body).toMatchObject(wanted);
    expect(refused.headers["www-authenticate"]).toBeUndefined();
  });

  test("who becomes an operator is one at once: what the password had opened, it opens no more", async () => {
    expect((await session({ authorization: basic(una, password) }, publicPort)).status).toBe(200);
    const inbox = cookieOf(await signIn(publicPort, una));
    expect((await session({ ...own, cookie: inbox }, publicPort)).status).toBe(200);
    const created = await set({ create: { n: { login: una, role: "domain-admin", domains: ["here.test"] } } });
    const { id } = (created as { created: { n: { id: string } } }).created.n;
    expect((await session({ authorization: basic(una, password) }, publicPort)).body).toMatchObject(wanted);
    expect((await session({ ...own, cookie: inbox }, publicPort)).status).toBe(401);
    await set({ destroy: [id] });
    expect((await signIn(publicPort, una)).status).toBe(204);
  });

  test("what a domain wants of its accounts makes no difference", async () => {
    await requireSecondFactor(admin, "here.test", false);
    expect((await signIn(operatorPort, uma)).body.step).toBe("set-up");
  });
});

describe("changes are told to the pages", () => {
  /** What the stream tells, until it ends. */
  async function open(headers: Record<string, string>) {
    const asked = request({ port: operatorPort, host: "127.0.0.1", path: "/jmap/operator/news", headers });
    asked.end();
    const [answer] = (await once(asked, "response")) as [import("node:http").IncomingMessage];
    const told: string[] = [];
    answer.setEncoding("utf8").on("data", (text: string) => {
      for (const [, data] of text.matchAll(/^data: (.*)$/gm)) told.push(...(JSON.parse(data!) as string[]));
    });
    // Its end by our own hand is no error.
    answer.on("error", () => {});
    const ended = new Promise<void>((resolve) => answer.once("close", () => resolve()));
    return { status: answer.statusCode, type: answer.headers["content-type"], told, ended, end: () => asked.destroy() };
  }
  const act = (method: string, args: object) => {
    const body = { using: [capabilities.operator], methodCalls: [[method, args, "c"]] };
    return ask(operatorPort, "/jmap/api", asRoot(), body);
  };

  test("as somebody acts, and as mail moves, in few words", async () => {
    const stream = await open(asRoot());
    expect([stream.status, stream.type]).toEqual([200, "text/event-stream"]);
    await act("Domain/set", { create: { n: { name: "news.test" } } });
    await expect.poll(() => stream.told).toEqual(["acts"]);
    // However much happens, one word a second is enough.
    const begun = performance.now();
    for (let at = 0; at < 5; at++) await act("Domain/set", { create: { n: { name: `n${at}.test` } } });
    await expect.poll(() => stream.told.length, { timeout: 3_000 }).toBeGreaterThan(1);
    expect(stream.told.length).toBeLessThanOrEqual(2 + (performance.now() - begun) / 1_000);
    expect(new Set(stream.told)).toEqual(new Set(["acts"]));
    stream.end();
  });

  test("to nobody else, and no longer than the operator is one", async () => {
    const inbox = cookieOf(await signInAgain("root@here.test", rootCodes.pop()!, publicPort));
    for (const headers of [
      {},
      own,
      { "sec-fetch-site": "same-site", cookie: rootCookie },
      { ...own, cookie: inbox },
      { authorization: basic("root@here.test", password) },
      { authorization: basic("ann@here.test", password) },
    ]) {
      const refused = await open(headers as Record<string, string>);
      expect(refused.status).toBe(401);
    }
    expect((await ask(publicPort, "/jmap/operator/news", asRoot())).status).toBe(404);
    expect((await ask(operatorPort, "/jmap/operator/news", asRoot(), {})).status).toBe(405);
    await addAccount(admin, { address: "liv@here.test", name: "", password, quota: 0 });
    await addOperator(admin, "liv@here.test", { role: "read-only", domains: [] });
    const { cookie } = await enrol("liv@here.test");
    const stream = await open({ ...own, cookie });
    expect(stream.status).toBe(200);
    await act("Operator/set", { destroy: [idOfText("o", "liv@here.test")] });
    await stream.ended;
    expect((await open({ ...own, cookie })).status).toBe(401);
  });

  test("to so many pages of one operator and no more", async () => {
    const streams = await Promise.all(Array.from({ length: 20 }, () => open(asRoot())));
    expect(streams.map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect((await open(asRoot())).status).toBe(429);
    for (const { end } of streams) end();
    await expect
      .poll(async () => {
        const again = await open(asRoot());
        again.end();
        return again.status;
      })
      .toBe(200);
  });
});

test("connections that do nothing make room at the operators' door, too, and leave the public one alone", async () => {
  const { connect } = await import("node:net");
  const idle = Array.from({ length: 1_010 }, () => connect(operatorPort, "127.0.0.1").on("error", () => {}));
  await expect.poll(() => idle.filter(({ destroyed, readableEnded }) => destroyed || readableEnded).length).toBe(10);
  expect((await session(asRoot())).status).toBe(200);
  for (const socket of idle) socket.destroy();
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
