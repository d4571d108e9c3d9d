import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Check, defer, disconnect, pass, refuse } from "../../src/smtp/inbound/stages/stage.ts";
import { until } from "../support/ports.ts";
import { SmtpConnection } from "../support/smtp-client.ts";
import { type MailHost, startMailHost } from "./host.ts";

let host: MailHost;
let ada: number;
/** The checks of each stage in the running test. */
const connect: Check<"connect">[] = [];
const secure: Check<"secure">[] = [];
const helo: Check<"helo">[] = [];
const mail: Check<"mail">[] = [];
const auth: Check<"auth">[] = [
  (_, { credentials: { username = "", password } }) =>
    pass(password === "right" ? { login: { login: username, userId: 1, accounts: [], credential: "password" } } : {}),
];

beforeAll(async () => {
  host = await startMailHost();
  await host.listen({ stages: { connect, secure, auth, helo, mail } });
  ada = await host.account("ada@here.test");
});
afterAll(() => host.stop());
afterEach(() => {
  for (const checks of [connect, secure, helo, mail]) checks.length = 0;
});

const greet = () => SmtpConnection.greet({ port: host.smtpPort });
const from = "MAIL FROM:<eve@there.test>";
const mailbox = async (subject: string) => {
  const found = await until(subject, async () => (await host.mails(ada)).find((one) => one.subject === subject));
  const [row] = await host.rows("SELECT role FROM mailbox WHERE user_id = $1 AND id = $2", [ada, found.mailboxIds[0]]);
  return row!.role;
};

describe("the name in HELO", () => {
  test("is judged once, before MAIL, and only the last name given", async () => {
    const judged: string[] = [];
    helo.push((session) => {
      judged.push(session.helo);
      return session.helo === "bad.test" ? refuse(550, "5.7.1", "not you", "a bad name") : pass();
    });
    const connection = await greet();
    await connection.command("HELO bad.test", [250]);
    expect((await connection.command(from)).line).toBe("550 5.7.1 not you");
    expect((await connection.command("RCPT TO:<ada@here.test>")).line).toMatch(/^503 /);
    await connection.command("EHLO other.test", [250]);
    await connection.command("EHLO GOOD.test", [250]);
    for (let at = 0; at < 2; at++) {
      await connection.command(from, [250]);
      await connection.command("RSET", [250]);
    }
    expect(judged).toEqual(["bad.test", "good.test"]);
    expect(host.events.filter(({ event }) => event === "sender refused").map(({ fields }) => fields)).toEqual([
      expect.objectContaining({ helo: "bad.test", reply: "550 5.7.1 not you", reason: "a bad name" }),
    ]);
    await connection.quit();
  });

  test("is judged again after STARTTLS, and earlier findings are dropped", async () => {
    const seen: object[] = [];
    secure.push(({ helo: name, tls }) => {
      seen.push({ name, tls });
      return pass();
    });
    helo.push(({ tls }) => pass(tls ? {} : { junkReason: "spoke in the clear" }));
    const clear = await greet();
    await clear.send({ from: "eve@there.test", to: "ada@here.test", data: "Subject: clear\r\n\r\nx\r\n" });
    expect(await mailbox("clear")).toBe("junk");
    await clear.startTls();
    await clear.send({ from: "eve@there.test", to: "ada@here.test", data: "Subject: secret\r\n\r\nx\r\n" });
    expect(await mailbox("secret")).toBe("inbox");
    expect(seen).toEqual([{ name: "", tls: expect.stringMatching(/^TLSv1\.3 TLS_/) }]);
    await clear.quit();
  });
});

test("findings about one message's sender do not carry over to the next", async () => {
  mail.push((_, { mailFrom }) => pass(mailFrom === "bad@there.test" ? { junkReason: "a bad sender" } : {}));
  const connection = await greet();
  await connection.send({ from: "bad@there.test", to: "ada@here.test", data: "Subject: bad\r\n\r\nx\r\n" });
  await connection.send({ from: "eve@there.test", to: "ada@here.test", data: "Subject: good\r\n\r\nx\r\n" });
  expect(await mailbox("bad")).toBe("junk");
  expect(await mailbox("good")).toBe("inbox");
  await connection.quit();
});

describe("a peer that does not pass a check", () => {
  test("is refused, deferred or disconnected", async () => {
    mail.push((_, { mailFrom }) => {
      if (mailFrom.startsWith("later")) return defer(450, "4.7.1", "not now");
      return mailFrom.startsWith("gone") ? disconnect("4.7.0", "go away") : pass();
    });
    // The refused commands do not reach this check.
    mail.push(() => refuse(553, "5.1.8", "nobody"));
    const connection = await greet();
    expect((await connection.command("MAIL FROM:<later@there.test>")).line).toBe("450 4.7.1 not now");
    expect((await connection.command(from)).line).toBe("553 5.1.8 nobody");
    expect((await connection.command("MAIL FROM:<gone@there.test>")).line).toBe("421 4.7.0 go away");
    await expect(connection.command("NOOP")).rejects.toThrow();
  });

  test("is told why as soon as it connects, or after STARTTLS", async () => {
    secure.push(() => refuse(554, "5.7.1", "no such cipher"));
    const connection = await greet();
    await expect(connection.startTls()).rejects.toMatchObject({ line: "554 5.7.1 no such cipher" });
    connect.push(() => refuse(554, "5.7.1", "not from there"));
    const turned = await SmtpConnection.open({ port: host.smtpPort });
    expect((await turned.read()).line).toBe("554 5.7.1 not from there");
    turned.destroy();
  });

  test("that speaks before the greeting is disconnected", async () => {
    let judged = () => {};
    connect.push(() => new Promise((resolve) => (judged = () => resolve(pass()))));
    const early = await SmtpConnection.open({ port: host.smtpPort });
    early.write("EHLO early.test\r\n");
    expect((await early.read()).line).toMatch(/^421 .*too soon/);
    expect(host.heard.told).toContainEqual(["checkObjected", { check: "early-talker", verdict: "disconnect" }]);
    judged();
    await expect(early.read()).rejects.toThrow();
  });

  test("is deferred when the check throws", async () => {
    mail.push(() => {
      throw new Error("a check is broken");
    });
    const connection = await greet();
    expect((await connection.command(from)).line).toMatch(/^451 4\.3\.0 /);
    expect(host.warnings.splice(0)).toEqual([{ err: expect.objectContaining({ message: "a check is broken" }) }]);
    await connection.quit();
  });
});

describe("AUTH, with a check that knows a login", () => {
  const plain = (password: string) => `AUTH PLAIN ${Buffer.from(`\0ada\0${password}`).toString("base64")}`;

  test("sets the login until STARTTLS, and not before AUTH", async () => {
    const logins: unknown[] = [];
    mail.push(({ login }, { login: found }) => {
      logins.push([login?.login, found?.login]);
      return pass();
    });
    const connection = await greet();
    expect((await connection.command(plain("right"))).line).toMatch(/^538 /);
    await connection.command(from, [250]);
    await connection.startTls();
    expect((await connection.command(plain("wrong"))).line).toBe("535 5.7.8 authentication failed");
    expect((await connection.command(plain("right"))).code).toBe(235);
    await connection.command("EHLO again.test", [250]);
    await connection.command(from, [250]);
    expect(logins).toEqual([
      [undefined, undefined],
      ["ada", "ada"],
    ]);
    await connection.quit();
  });
});
