import { afterEach, beforeEach, expect, test } from "vitest";
import { SmtpConnection } from "../support/smtp-client.ts";
import { type MailHost, startMailHost } from "./host.ts";

let host: MailHost;

beforeEach(async () => {
  host = await startMailHost();
  await host.listen();
  await host.account("ada@here.test");
});
afterEach(() => host.stop());

const greet = () => SmtpConnection.greet({ port: host.smtpPort, timeoutMs: 20_000 });
const mail = (subject: string) => ({
  from: "a@there.test",
  to: "ada@here.test",
  data: `Subject: ${subject}\r\n\r\nHello.\r\n`,
});

test("in a restart a session delivers the message it came for, and is sent away with 421 at the next", async () => {
  const [fresh, amid, done] = [await greet(), await greet(), await greet()];
  await done.send(mail("first"));
  await amid.command("MAIL FROM:<a@there.test>", [250]);
  await amid.command("RCPT TO:<ada@here.test>", [250]);
  await amid.command("DATA", [354]);
  amid.write("Subject: amid\r\n\r\n");
  const closed = host.smtpIn!.close("restart");
  await new Promise((resolve) => setTimeout(resolve, 100));
  await expect(greet()).rejects.toMatchObject({ code: "ECONNREFUSED" });
  expect((await done.command("MAIL FROM:<a@there.test>")).line).toMatch(/^421 4\.3\.2 /);
  await fresh.send(mail("fresh"));
  expect((await fresh.command("QUIT")).code).toBe(221);
  amid.write("Hello.\r\n.\r\n");
  expect((await amid.read()).code).toBe(250);
  expect((await amid.command("NOOP")).code).toBe(250);
  expect((await amid.command("MAIL FROM:<a@there.test>")).code).toBe(421);
  await closed;
});

test("when the server stops, an idle session ends after five seconds and one with a message after ten", async () => {
  const [idle, stuck] = [await greet(), await greet()];
  await stuck.command("MAIL FROM:<a@there.test>", [250]);
  const begun = performance.now();
  const closed = host.smtpIn!.close();
  expect((await idle.read()).line).toMatch(/^421 4\.3\.2 /);
  expect(performance.now() - begun).toBeGreaterThan(4_900);
  expect((await stuck.read()).line).toMatch(/^421 4\.3\.2 /);
  expect(performance.now() - begun).toBeGreaterThan(9_900);
  await closed;
});
