import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Rspamd } from "../../src/mail/scan/rspamd.ts";
import { startRspamd, whyNoRspamd } from "../support/rspamd.ts";
import { testScanners } from "../support/scanners.ts";
import { deliver } from "../support/smtp-client.ts";
import { type MailHost, startMailHost } from "./host.ts";

/** The text that spam filters take for spam; in pieces, so that none takes this file for it. */
const gtube = ["XJS*C4JDBQADN1.NSBN3*2IDNEN*", "GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"].join("");
const mail = (body: string, subject: string) =>
  `From: Eve <eve@far.test>\r\nTo: ann@here.test\r\nSubject: ${subject}\r\nDate: Mon, 30 Nov 2026 10:00:00 +0000\r\n` +
  `Message-ID: <${subject}@far.test>\r\n\r\n${body}\r\n`;

describe.skipIf(whyNoRspamd !== undefined)("with a real rspamd", () => {
  let rspamd: Awaited<ReturnType<typeof startRspamd>>;
  let host: MailHost;
  let ann: number;

  beforeAll(async () => {
    rspamd = await startRspamd();
    host = await startMailHost({ scanners: testScanners({ rspamd: new Rspamd(rspamd.url) }) });
    await host.listen();
    ann = await host.account("ann@here.test");
  });
  afterAll(async () => {
    await host?.stop();
    rspamd?.stop();
  });

  const scans = () => host.rows("SELECT subject, scan FROM message WHERE user_id = $1 ORDER BY no", [ann]);
  const placeOf = (subject: string) =>
    host.rows(
      `SELECT b.role, e.keywords FROM email e JOIN message m ON m.user_id = $1 AND m.no = e.no
       JOIN mailbox b ON b.user_id = $1 AND b.id = e.mailbox_ids[1] WHERE e.user_id = $1 AND m.subject = $2`,
      [ann, subject],
    );

  test("its verdict decides, and its symbols are the reasons", async () => {
    const to = { port: host.smtpPort, from: "eve@far.test", to: "ann@here.test" };
    await deliver({ ...to, data: mail(gtube, "gtube") });
    await deliver({ ...to, data: mail("See you at noon.", "lunch") });
    await host.incoming.idle();
    expect(await placeOf("gtube")).toEqual([{ role: "junk", keywords: ["$junk"] }]);
    expect(await placeOf("lunch")).toEqual([{ role: "inbox", keywords: [] }]);
    const scan = JSON.parse((await scans())[0]!.scan as string);
    expect(scan).toMatchObject({ by: "rspamd", marks: [] });
    expect(scan.reasons[0].rule).toBe("GTUBE");
  });

  test("it learns what users say", async () => {
    const filter = new Rspamd(rspamd.url);
    const body = Array.from({ length: 60 }, (_, n) => `word${n}`).join(" ");
    await filter.learn(Buffer.from(mail(body, "learned")), true);
    const stat = (await (await fetch(`${rspamd.url}/stat`)).json()) as { learned: number };
    expect(stat.learned).toBe(1);
  });
});

test("while it is away, the built-in scorer judges, and mail is not held up", async () => {
  const scanners = testScanners({ rspamd: new Rspamd("http://127.0.0.1:1") });
  const host = await startMailHost({ scanners });
  try {
    await host.listen();
    const ann = await host.account("ann@here.test");
    await deliver({ port: host.smtpPort, from: "eve@far.test", to: "ann@here.test", data: mail("Hello.", "lunch") });
    await host.incoming.idle();
    const [row] = await host.rows("SELECT scan FROM message WHERE user_id = $1", [ann]);
    expect(JSON.parse(row!.scan as string)).toMatchObject({ by: "posthorn" });
  } finally {
    await host.stop();
  }
});
