import type { Page } from "playwright-core";
import { beforeAll, describe, expect, test } from "vitest";
import { one } from "../../conformance/client/client.ts";
import type { GetResult } from "../../conformance/client/types.ts";
import { whyNoBrowser } from "./browser.ts";
import { allSizes, look, sizes } from "./look.ts";
import { putRaw } from "./raw-mail.ts";
import { checked, createWorld, type User, type World } from "./world.ts";

const png = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAoAAAAKCAYAAACNMs+9AAAAFUlEQVR42mNk+M9Qz0AEYBxVSF+FABJADveWkH6oAAAAAElFTkSuQmCC",
  "base64",
);
const bob = "Bob Best <bob@sender.test>";
const ago = (hours: number) => new Date(Date.now() - hours * 3_600_000);

describe.skipIf(whyNoBrowser)("reading a conversation", () => {
  let world: World;
  let ann: User;
  let picture: string;
  let scanCapability: { authservId: string };

  beforeAll(async () => {
    world = await createWorld();
    ann = await world.addUser("ann");
    scanCapability = ann.client.session.capabilities["https://posthorn.example/jmap/scan"] as { authservId: string };
    const thread = (id: string, first: string) => ({ messageId: `${id}@x.test`, references: [`${first}@x.test`] });
    await ann.put({
      ...{ from: bob, subject: "Harbour", messageId: "h1@x.test", keywords: ["$seen"], receivedAt: ago(9) },
      text: "Shall we meet at https://harbour.test/plan on Friday?\r\n-- \r\nBob",
    });
    await ann.put({
      ...{ from: ann.address, to: "bob@sender.test", mailbox: "sent", subject: "Re: Harbour", keywords: ["$seen"] },
      ...{ ...thread("h2", "h1"), receivedAt: ago(8) },
      text: "Friday is fine.\r\n\r\nOn Monday, Bob Best wrote:\r\n> Shall we meet?",
    });
    await ann.put({
      from: bob,
      subject: "Re: Harbour",
      ...thread("h3", "h1"),
      receivedAt: ago(7),
      text: "Bring Carol.",
    });
    picture = `${world.url.replace("127.0.0.1", "localhost")}/assets/none.png`;
    await ann.put({
      ...{
        from: bob,
        to: [ann.address, "carol@x.test"],
        subject: "The plan",
        messageId: "p1@x.test",
        receivedAt: ago(6),
      },
      text: "The plan in plain words",
      html:
        `<table width=700 bgcolor=#ffffcc><tr><td><h1>The plan</h1><img src="cid:map" alt=map width=40><img src="${picture}" alt=banner>` +
        "<a href='mailto:carol@x.test?subject=Hi'>write</a></td></tr></table>" +
        "<div class=gmail_quote><blockquote type=cite>Earlier words</blockquote></div>",
      attachments: [
        { filename: "map.png", content: png, cid: "map", disposition: "inline" },
        { filename: "photo.png", content: png },
        { filename: "notes.txt", content: "some notes" },
        { filename: "page.html", content: "<script>top.ran=1</script>", contentType: "text/html" },
        { filename: "report.pdf", content: Buffer.alloc(123_456), contentType: "application/pdf" },
      ],
    });
    await ann.put({
      ...{ from: "Events <events@x.test>", subject: "Invitation: Lunch", text: "Please come.", receivedAt: ago(5) },
      attachments: [
        {
          filename: "invite.ics",
          contentType: "text/calendar; method=REQUEST",
          content: [
            ...["BEGIN:VCALENDAR", "METHOD:REQUEST", "BEGIN:VEVENT", "SUMMARY:Lunch at the quay", "LOCATION:Quay 3"],
            ...["DTSTART;TZID=Europe/Berlin:20261204T120000", "DURATION:PT1H", "RRULE:FREQ=WEEKLY"],
            ...["ORGANIZER;CN=Bob Best:mailto:bob@sender.test", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:carol@x.test"],
            ...["END:VEVENT", "END:VCALENDAR"],
          ].join("\r\n"),
        },
      ],
    });
  });

  const row = (page: Page, subject: string) => page.locator(".list-pane .row").filter({ hasText: subject });
  const mail = (page: Page, text: string) => page.locator("article.mail").filter({ hasText: text });
  const openMail = async (page: Page, subject: string) => {
    await row(page, subject).locator(".row-link").click();
    await page.locator("article.mail.is-open .mail-foot").last().waitFor();
    await page.locator(".mail-body.is-waiting, .mail-frame.is-loading").first().waitFor({ state: "detached" });
  };
  const keywords = async (subject: string) => {
    const { ids } = await one<{ ids: string[] }>(ann.client, "Email/query", { filter: { subject } });
    const { list } = await one<GetResult>(ann.client, "Email/get", { ids, properties: ["keywords"] });
    return list.map((email) => Object.keys(email.keywords as object).join());
  };

  test("own answers are in it, what was read is folded, the newest is open and becomes read, in few requests", async () => {
    const page = await world.signIn(ann);
    await row(page, "Harbour").waitFor();
    const asked: string[] = [];
    page.on("request", (request) => {
      // On a busy machine, what every start looks up after a while falls into this.
      if (/Identity\/get|EmailSubmission\/query/.test(request.postData() ?? "")) return;
      asked.push(`${request.method()} ${new URL(request.url()).pathname}`);
    });
    await openMail(page, "Harbour");
    expect(await page.locator("article.mail .mail-author").allTextContents()).toEqual(["Bob Best", "me", "Bob Best"]);
    expect(
      await page.locator(".mail-toggle").evaluateAll((all) => all.map((one) => one.getAttribute("aria-expanded"))),
    ).toEqual([...["false", "false", "true"]]);
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Harbour");
    await expect.poll(() => keywords("harbour")).toEqual(["$seen", "$seen", "$seen"]);
    // What it says, that it is read with what changed by that, and the mail and the thread that did.
    expect(asked.filter((one) => one.startsWith("POST")).length).toBeLessThanOrEqual(4);
    expect(asked.filter((one) => !/^POST|assets/.test(one))).toEqual([]);
    await row(page, "Harbour").locator(".row-members").getByText("3").waitFor();
  });

  test("keys go from mail to mail, fold and open, and go back", async () => {
    const page = await world.signIn(ann);
    await openMail(page, "Harbour");
    await page.keyboard.press("n");
    await page.keyboard.press("n");
    expect(await page.evaluate(() => document.activeElement?.textContent)).toContain("me");
    await page.keyboard.press("o");
    await page.getByText("Friday is fine.").last().waitFor();
    const quote = page.locator(".quote-fold");
    expect(await quote.getByText("Shall we meet?").isVisible()).toBe(false);
    await quote.locator("summary").click();
    await quote.getByText("Shall we meet?").waitFor();
    await page.keyboard.press("p");
    await page.keyboard.press(";");
    await expect.poll(() => page.locator("article.mail.is-open").count()).toBe(3);
    const link = page.getByRole("link", { name: "https://harbour.test/plan" });
    expect(await link.getAttribute("rel")).toBe("noopener noreferrer nofollow");
    await page.getByRole("button", { name: "Fold all" }).click();
    await expect.poll(() => page.locator("article.mail.is-open").count()).toBe(1);
    await page.keyboard.press("u");
    await page.locator("article.mail").first().waitFor({ state: "detached" });
  });

  test("an answer that comes in while it is open is shown at once", async () => {
    const page = await world.signIn(ann);
    await openMail(page, "Harbour");
    await world.send(ann, { subject: "Re: Harbour", headers: "References: <h1@x.test>\r\n", text: "Carol comes too." });
    await page.locator("article.mail.is-open").getByText("Carol comes too.").waitFor();
  });

  test("pictures from elsewhere are shown when asked for, or always from a sender; own pictures at once", async () => {
    const page = await world.signIn(ann);
    await openMail(page, "The plan");
    const frame = page.frameLocator(".mail-frame");
    await frame.getByRole("heading", { name: "The plan" }).waitFor();
    await expect.poll(() => frame.getByAltText("map").evaluate((one: HTMLImageElement) => one.naturalWidth)).toBe(10);
    expect(await frame.getByAltText("banner").getAttribute("src")).toBeNull();
    expect(await frame.getByText("Earlier words").isVisible()).toBe(false);
    await frame.locator("summary").click();
    await frame.getByText("Earlier words").waitFor();
    await page.getByText("1 remote picture is not shown.").waitFor();
    const asked = page.waitForRequest(/none\.png/);
    await page.getByRole("button", { name: "Show it" }).click();
    expect(await (await asked).headerValue("referer")).toBeNull();
    await page.getByText("not shown").waitFor({ state: "detached" });
    await page.reload();
    await page.getByText("1 remote picture is not shown.").waitFor();
    // Nothing proves who sent it, so nobody is trusted for it.
    expect(await page.getByRole("button", { name: /^Always/ }).count()).toBe(0);
  });

  test("pictures of a sender who is proved can always be shown, and a forger gets nothing by that", async () => {
    const reader = await world.addUser("reader");
    const newsletter = (subject: string) =>
      `From: News <news@sender.test>\r\nSubject: ${subject}\r\nMIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n` +
      `<h1>${subject}</h1><img src="${picture}" alt=banner>\r\n`;
    await world.receive(reader, newsletter("Spring news"), checked("sender.test", "pass"));
    await world.receive(reader, newsletter("Fake news"), checked("sender.test", "fail"));
    const page = await world.signIn(reader);
    await openMail(page, "Spring news");
    await page.getByRole("button", { name: "Always show those of news@sender.test" }).click();
    await page.getByText("Pictures from news@sender.test are always shown.").first().waitFor();
    const again = page.waitForRequest(/none\.png/);
    await page.reload();
    await again;
    await page.frameLocator(".mail-frame").getByRole("heading", { name: "Spring news" }).waitFor();
    expect(await page.getByText("not shown").count()).toBe(0);
    await page.goto(`${world.url}/`);
    await openMail(page, "Fake news");
    await page.getByText("1 remote picture is not shown.").waitFor();
  });

  test("the plain form on request; no key is lost inside a mail", async () => {
    const page = await world.signIn(ann);
    await openMail(page, "The plan");
    await page.frameLocator(".mail-frame").getByRole("heading").click();
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Show as plain text" }).click();
    await page.locator(".mail-text").getByText("The plan in plain words").waitFor();
    expect(await page.locator(".mail-frame").count()).toBe(0);
    await page.getByRole("button", { name: "Show as formatted mail" }).click();
    await page.locator(".mail-frame").waitFor();
  });

  test("attachments have sizes, pictures and texts a preview, and all are only ever downloaded", async () => {
    const page = await world.signIn(ann);
    await openMail(page, "The plan");
    const files = page.getByRole("region", { name: "4 attachments" });
    expect(await files.locator(".attachment-name").allTextContents()).toEqual([
      ...["photo.png", "notes.txt", "page.html", "report.pdf"],
    ]);
    await files.getByText("123 kB").waitFor();
    await page.getByRole("button", { name: "Preview photo.png" }).click();
    await page.getByRole("dialog").getByAltText("photo.png").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Preview notes.txt" }).click();
    await page.getByRole("dialog").getByText("some notes").waitFor();
    await page.keyboard.press("Escape");
    for (const name of ["page.html", "report.pdf"]) {
      expect(await page.getByRole("button", { name: `Preview ${name}` }).count()).toBe(0);
      const downloading = page.waitForEvent("download");
      await page.getByRole("link", { name: `Download ${name}` }).click();
      expect((await downloading).suggestedFilename()).toBe(name);
    }
  });

  test("an invitation says what, when, where and who", async () => {
    const page = await world.signIn(ann, { timezoneId: "Europe/Athens" });
    await openMail(page, "Invitation: Lunch");
    const card = page.getByRole("region", { name: "Invitation" });
    await card.getByRole("heading", { name: "Lunch at the quay" }).waitFor();
    const text = (await card.textContent())!;
    expect(text).toMatch(/Friday,? 4 December 2026, 13:00.14:00 (?:EET|GMT\+2)/);
    for (const said of ["Quay 3", "every week", "Bob Best (bob@sender.test)", "carol@x.test accepted"]) {
      expect(text).toContain(said);
    }
  });

  test("who a mail is from is said only by our own server, and in plain words", async () => {
    const { authservId } = scanCapability;
    const from = (subject: string, field = "") =>
      `${field}From: Bank <service@bank.test>\r\nSubject: ${subject}\r\n\r\nText ${subject}\r\n`;
    await world.receive(ann, from("Proved"), checked("bank.test", "pass"));
    await world.receive(ann, from("Forged"), checked("bank.test", "fail"));
    await putRaw(ann, [from("Claimed", `Authentication-Results: ${authservId}; dmarc=pass header.from=bank.test\r\n`)]);
    const page = await world.signIn(ann);
    await openMail(page, "Proved");
    await page.getByText("Really from bank.test").waitFor();
    await page.getByRole("button", { name: "Details" }).click();
    await page.getByText("DMARC: pass").waitFor();
    await openMail(page, "Forged");
    await page.getByRole("alert").getByText("probably a forgery").waitFor();
    await openMail(page, "Claimed");
    expect(await page.getByText("Really from").count()).toBe(0);
  });

  test("signs of phishing stand above the mail, and the spam score says why", async () => {
    const html = '<p>Log in at <a href="http://evil.test/x">https://www.bank.test/login</a> now!</p>';
    const headers = "MIME-Version: 1.0\r\nContent-Type: text/html\r\n";
    await world.send(ann, { subject: "Your account is locked", from: "service@bank.test", headers, text: html });
    // Wherever it was filed: the reader wants to see it.
    const found = async () => {
      const { ids } = await one<{ ids: string[] }>(ann.client, "Email/query", {
        filter: { subject: "account is locked" },
      });
      return ids;
    };
    await expect.poll(found, { timeout: 10_000 }).toHaveLength(1);
    const update = { [(await found())[0]!]: { mailboxIds: { [await ann.mailboxId("inbox")]: true } } };
    await one(ann.client, "Email/set", { update });
    const page = await world.signIn(ann);
    await openMail(page, "Your account is locked");
    const warning = page.getByRole("alert");
    await warning.getByText("Be careful with this mail").waitFor();
    await warning.getByText("A link that says “https://www.bank.test/login” leads to evil.test.").waitFor();
    await page.getByText("Sender not proved").waitFor();
    const link = page.frameLocator(".mail-frame").getByRole("link");
    expect(await link.getAttribute("title")).toBe("http://evil.test/x");
    await page.getByLabel("More for this mail").click();
    await page.getByRole("button", { name: /Why this spam score/ }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("a link goes elsewhere than its text says").waitFor();
    expect(await dialog.getByRole("row").count()).toBeGreaterThan(2);
  });

  test("a list is left by a mail, or by its page", async () => {
    const list = await world.addUser("list");
    await putRaw(ann, [
      `From: News <news@x.test>\r\nSubject: News by mail\r\nTo: ${ann.address}\r\nList-Unsubscribe: <https://x.test/>,\r\n <mailto:${list.address}?subject=leave%2042>\r\n\r\nNews.\r\n`,
      "From: News <news@x.test>\r\nSubject: News by page\r\nList-Unsubscribe: <https://lists.test/leave?u=1>\r\n\r\nNews.\r\n",
    ]);
    const page = await world.signIn(ann);
    await openMail(page, "News by mail");
    await page.getByRole("button", { name: "Unsubscribe" }).click();
    await page.getByRole("dialog").getByText(list.address).waitFor();
    await page.getByRole("button", { name: "Send the mail" }).click();
    await page.getByText("The list was asked to take you off.").first().waitFor();
    const arrived = async () => {
      const { ids } = await one<{ ids: string[] }>(list.client, "Email/query", { filter: { subject: "leave 42" } });
      return ids.length;
    };
    await expect.poll(arrived, { timeout: 10_000 }).toBe(1);
    await openMail(page, "News by page");
    await page.getByRole("button", { name: "Unsubscribe" }).click();
    const link = page.getByRole("link", { name: "Open the page" });
    expect(await link.getAttribute("href")).toBe("https://lists.test/leave?u=1");
    await page.getByRole("dialog").getByText("lists.test").waitFor();
  });

  test("the original source, its header, and the mail as a file", async () => {
    const page = await world.signIn(ann);
    await openMail(page, "The plan");
    const menu = async (name: string) => {
      await page.getByLabel("More for this mail").click();
      await page.locator(".menu-items").getByText(name).click();
    };
    await menu("Original source");
    await page.getByRole("dialog").getByText("Content-Type: multipart/mixed").waitFor();
    await page.keyboard.press("Escape");
    await menu("All headers");
    const header = page.getByRole("dialog").locator("pre");
    await header.getByText("Message-ID: <p1@x.test>").waitFor();
    expect(await header.textContent()).not.toContain("Earlier words");
    await page.keyboard.press("Escape");
    const downloading = page.waitForEvent("download");
    await menu("Download as .eml");
    expect((await downloading).suggestedFilename()).toBe("The plan.eml");
  });

  test("odd mails: nothing in it, broken, very long, from right to left", { timeout: 60_000 }, async () => {
    const files = Array.from(
      { length: 30 },
      (_, at) => `--b\r\nContent-Disposition: attachment; filename=${at}.zip\r\n\r\n${at}\r\n`,
    );
    const lines = "a line of text that is as long as lines are\r\n".repeat(10_000);
    await putRaw(ann, [
      "From: a@x.test\r\nSubject: Odd empty\r\n\r\n",
      "From: a@x.test\r\nSubject: Odd broken\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html; charset=nonsense\r\nContent-Transfer-Encoding: base64\r\n\r\nPGI+dGV4dDwvYj4=",
      `From: a@x.test\r\nSubject: Odd long\r\n\r\n${lines}THE END\r\n`,
      "From: a@x.test\r\nSubject: Odd hebrew\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nשלום (abc)\r\nabc\r\n",
      "X-Nothing: else\r\n\r\nneither author nor subject",
      `From: a@x.test\r\nSubject: Odd files\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n${files.join("")}--b--`,
    ]);
    const page = await world.signIn(ann);
    await openMail(page, "Odd empty");
    await page.getByText("This mail has no text.").waitFor();
    await openMail(page, "Odd broken");
    await page.frameLocator(".mail-frame").getByText("text").waitFor();
    await openMail(page, "Odd long");
    await page.getByText("its end is not shown").waitFor();
    expect(await page.locator(".text-block").count()).toBeLessThan(60);
    await page.getByRole("button", { name: "Show all of it" }).click();
    await page.getByText("THE END").waitFor({ state: "attached" });
    expect(await page.locator(".text-block").count()).toBe(51);
    await openMail(page, "Odd hebrew");
    const text = page.locator(".mail-text");
    expect(await text.evaluate((element) => getComputedStyle(element).direction)).toBe("rtl");
    await openMail(page, "Odd files");
    expect(await page.locator(".attachment").count()).toBe(24);
    await page.getByRole("button", { name: "Show all 30 attachments" }).click();
    expect(await page.locator(".attachment").count()).toBe(30);
    await openMail(page, "(no subject)");
    await mail(page, "(no sender)").waitFor();
  });

  test("mail in Trash is left out unless it is asked for; a draft is gone on with", async () => {
    const put = (subject: string, mailbox: string, keywords: string[]) =>
      ann.put({ subject, from: bob, mailbox, keywords, messageId: `${mailbox}-t@x.test`, references: ["t1@x.test"] });
    await put("Mixed", "inbox", ["$seen"]);
    await put("Re: Mixed", "trash", ["$seen"]);
    await put("Re: Mixed", "drafts", ["$seen", "$draft"]);
    const page = await world.signIn(ann);
    await openMail(page, "Mixed");
    expect(await page.locator("article.mail").count()).toBe(2);
    await page.getByRole("button", { name: "Show 1 mail in Trash or Junk" }).click();
    await expect.poll(() => page.locator("article.mail").count()).toBe(3);
    await mail(page, "Draft").locator(".mail-toggle").click();
    await page.getByRole("button", { name: "Continue writing" }).waitFor();
  });

  test("printed, it is the mail alone", async () => {
    const page = await world.signIn(ann);
    await openMail(page, "The plan");
    await page.emulateMedia({ media: "print" });
    for (const selector of [".sidebar", ".list-pane", ".top", ".toolbar", ".mail-foot", ".remote-notice"]) {
      expect(await page.locator(selector).first().isVisible(), selector).toBe(false);
    }
    expect(await page.frameLocator(".mail-frame").getByRole("heading").isVisible()).toBe(true);
  });

  test.each(allSizes)("%s, light and dark: axe finds nothing, and nothing sticks out", async (size) => {
    const page = await world.signIn(ann, sizes[size]);
    for (const [subject, name] of [
      ["Harbour", "thread"],
      ["The plan", "html"],
      ["Invitation: Lunch", "invitation"],
    ] as const) {
      await openMail(page, subject);
      if (name === "thread") await page.getByRole("button", { name: "Details" }).last().click();
      await look(page, `${size}-conversation-${name}`);
      expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
      const wide = await page.locator(".conversation").evaluate((element) => element.scrollWidth - element.clientWidth);
      expect(wide).toBeLessThanOrEqual(0);
      const frame = page.locator(".mail-frame");
      if (name === "html") {
        await page.emulateMedia({ colorScheme: "dark" });
        expect(await frame.evaluate((one) => getComputedStyle(one).backgroundColor)).toBe("rgb(255, 255, 255)");
        await page.getByLabel("More for this mail").click();
        await look(page, `${size}-conversation-menu`);
        await page.locator(".menu-items").getByText("All headers").click();
        await page.getByRole("dialog").getByText("Message-ID").waitFor();
        await look(page, `${size}-conversation-headers`);
        await page.keyboard.press("Escape");
      }
      if (size === "phone") await page.getByRole("button", { name: "Back to the list" }).click();
    }
  });
});
