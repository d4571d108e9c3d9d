import { simpleParser } from "mailparser";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { message, reply } from "./messages.ts";
import { deliver, SmtpConnection, SmtpFailure } from "./smtp-client.ts";
import { type SmtpSink, startSink } from "./smtp-sink.ts";

describe("the SMTP sink and client for tests", () => {
  let sink: SmtpSink;
  const mail = { from: "a@sender.test", to: "b@sink.test", data: "Subject: x\n\n.dot\n..two\nend" };
  beforeAll(async () => {
    sink = await startSink();
  });
  afterEach(() => sink.reset());
  afterAll(() => sink.stop());

  it("stores the envelope and the exact bytes", async () => {
    const line = await deliver({ port: sink.port, ...mail, to: ["b@sink.test", "c@sink.test"] });
    expect(line).toMatch(/^250 /);
    const [stored] = await sink.waitFor(1);
    expect(stored).toMatchObject({ from: "a@sender.test", to: ["b@sink.test", "c@sink.test"], tls: false });
    expect(String(stored?.raw)).toBe("Subject: x\r\n\r\n.dot\r\n..two\r\nend\r\n");
  });

  it("upgrades to TLS with its own certificate", async () => {
    const connection = await SmtpConnection.greet({ port: sink.port });
    await connection.startTls();
    expect(connection.secure).toBe(true);
    await connection.send(mail);
    await connection.send(mail);
    await connection.quit();
    expect(sink.messages.map((one) => one.tls)).toEqual([true, true]);
  });

  it("replies as programmed, and as often as programmed", async () => {
    sink.program({ stage: "rcpt", address: "b@sink.test", times: 2, reply: "451 4.3.0 come back" });
    sink.program({ stage: "rcpt", address: /^gone@/, reply: "550 5.1.1 no such user" });
    for (let i = 0; i < 2; i++) {
      const refused = deliver({ port: sink.port, ...mail });
      await expect(refused).rejects.toMatchObject({ code: 451, line: "451 4.3.0 come back" });
    }
    await deliver({ port: sink.port, ...mail });
    const gone = await deliver({ port: sink.port, ...mail, to: "gone@sink.test" }).catch((error: unknown) => error);
    expect(gone).toBeInstanceOf(SmtpFailure);
    expect(gone).toMatchObject({ code: 550, stage: "RCPT TO:<gone@sink.test>" });
    expect(sink.messages).toHaveLength(1);
    expect(sink.attempts.filter((one) => one.stage === "rcpt")).toHaveLength(4);
  });

  it("cuts the connection after DATA, with or without storing the message, and can be slow", async () => {
    sink.program({ stage: "data", times: 1, drop: true });
    await expect(deliver({ port: sink.port, ...mail })).rejects.toMatchObject({ code: 0, stage: "message" });
    expect(sink.messages).toHaveLength(0);
    sink.program({ stage: "data", times: 1, drop: true, store: true });
    await expect(deliver({ port: sink.port, ...mail })).rejects.toMatchObject({ code: 0 });
    expect(sink.messages).toHaveLength(1);
    sink.program({ stage: "mail", delayMs: 80 });
    const start = performance.now();
    await deliver({ port: sink.port, ...mail });
    expect(performance.now() - start).toBeGreaterThan(75);
    sink.program({ stage: "data", reply: "552 5.3.4 too big" });
    await expect(deliver({ port: sink.port, ...mail })).rejects.toMatchObject({ code: 552 });
    sink.program({ stage: "connect", reply: "421 4.7.0 busy" });
    await expect(deliver({ port: sink.port, ...mail })).rejects.toMatchObject({ code: 421, stage: "greeting" });
  });

  it("makes messages that a parser reads back", async () => {
    const data = await message({
      subject: "Grüße 📯",
      text: "plain",
      html: "<p>rich</p>",
      messageId: "<1@sender.test>",
      references: ["<0@sender.test>"],
      attachments: [{ filename: "a.bin", content: Buffer.from([0, 1, 255]) }],
    });
    await deliver({ port: sink.port, ...mail, data });
    const parsed = await simpleParser(sink.messages[0]?.raw as Buffer);
    expect(parsed).toMatchObject({ subject: "Grüße 📯", messageId: "<1@sender.test>", html: "<p>rich</p>" });
    expect(parsed.attachments[0]?.content).toEqual(Buffer.from([0, 1, 255]));
    const answer = await simpleParser(await reply("<1@sender.test>"));
    expect([answer.inReplyTo, answer.references]).toEqual(["<1@sender.test>", "<1@sender.test>"]);
  });
});
