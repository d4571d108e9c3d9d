import type { Page } from "playwright-core";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { one } from "../../conformance/client/client.ts";
import type { GetResult, Json } from "../../conformance/client/types.ts";
import { build } from "../build.ts";
import { expectNoFaults } from "./axe.ts";
import { whyNoBrowser } from "./browser.ts";
import { createWorld, type User, type World } from "./world.ts";

describe.skipIf(whyNoBrowser)("the composer", () => {
  let world: World;
  let ann: User;
  let bob: User;
  let count = 0;
  beforeAll(async () => {
    world = await createWorld();
    bob = await world.addUser("bob");
  });
  beforeEach(async () => {
    ann = await world.addUser(`ann${++count}`);
  });

  /** The mails in a mailbox of a user, newest first, with their text. */
  const mails = async (user: User, mailbox: string): Promise<Json[]> => {
    const filter = { inMailbox: await user.mailboxId(mailbox) };
    const sort = [{ property: "receivedAt", isAscending: false }];
    const { ids } = await one<{ ids: string[] }>(user.client, "Email/query", { filter, sort });
    const { list } = await one<GetResult>(user.client, "Email/get", {
      ids,
      properties: [
        "subject",
        "to",
        "cc",
        "bcc",
        "from",
        "keywords",
        "bodyValues",
        "textBody",
        "htmlBody",
        "attachments",
        "preview",
      ],
      fetchAllBodyValues: true,
    });
    return list;
  };
  const bodyOf = (mail: Json, kind: "textBody" | "htmlBody"): string => {
    const values = mail.bodyValues as Record<string, { value: string }>;
    return (mail[kind] as { partId: string }[]).map(({ partId }) => values[partId]!.value).join("");
  };
  const until = <T>(work: () => Promise<T>, ms = 15_000) => expect.poll(work, { timeout: ms, interval: 150 });

  /** The mail with this subject in Bob's inbox, as soon as it is there. */
  const arrived = async (subject: string): Promise<Json> => {
    const find = async () => (await mails(bob, "inbox")).find((mail) => mail.subject === subject);
    await until(find).toBeDefined();
    return (await find())!;
  };

  const text = (page: Page) => page.getByRole("textbox", { name: "Text" });
  const to = (page: Page) => page.getByRole("combobox", { name: "To", exact: true });
  /** Saves at once what would be saved in two seconds. */
  const save = async (page: Page) => {
    await page.keyboard.press("Control+s");
    await status(page, "Saved in Drafts");
  };
  const status = (page: Page, words: string) => page.locator(".composer-status").getByText(words).waitFor();
  const begin = async (page: Page) => {
    await page.keyboard.press("c");
    await text(page).waitFor();
  };
  const write = async (page: Page, mail: { to?: string; subject?: string; text?: string }) => {
    if (mail.to !== undefined) await to(page).fill(mail.to);
    if (mail.subject !== undefined) await page.getByLabel("Subject").fill(mail.subject);
    if (mail.text !== undefined) {
      await text(page).click();
      await page.keyboard.type(mail.text);
    }
  };

  test("a mail with bold words arrives as rich and as plain text", async () => {
    const page = await world.signIn(ann, { prefs: { undoSendSeconds: 1 } });
    await begin(page);
    await expectNoFaults(page);
    await write(page, { to: `${bob.address},`, subject: "Lunch", text: "See you at " });
    await page.getByRole("button", { name: "Bold" }).click();
    await page.keyboard.type("noon");
    await page.keyboard.press("Enter");
    await page.keyboard.type("Ann");
    await page.keyboard.press("Control+Enter");
    await page.locator(".toast").getByText("Sent", { exact: true }).waitFor();
    const mail = await arrived("Lunch");
    expect(mail).toMatchObject({ subject: "Lunch", from: [{ email: ann.address }], to: [{ email: bob.address }] });
    expect(bodyOf(mail, "textBody").trim()).toBe("See you at noon\nAnn");
    expect(bodyOf(mail, "htmlBody")).toContain("<b>noon</b>");
    expect(await mails(ann, "drafts")).toEqual([]);
    expect(await mails(ann, "sent")).toMatchObject([{ subject: "Lunch" }]);
  });

  test("what is typed is one draft at the server, which opens again after a reload", async () => {
    const page = await world.signIn(ann);
    await begin(page);
    await write(page, { to: "bob@there.test", subject: "Plan", text: "First" });
    await status(page, "Saved in Drafts");
    await page.keyboard.type(" second");
    await status(page, "Not saved yet");
    await status(page, "Saved in Drafts");
    const drafts = await mails(ann, "drafts");
    expect(drafts).toHaveLength(1);
    expect(bodyOf(drafts[0]!, "textBody").trim()).toBe("First second");
    await page.keyboard.press("Escape");
    await page.locator(".composer").waitFor({ state: "detached" });
    expect(await mails(ann, "drafts")).toHaveLength(1);
  });

  test("without a connection the browser keeps the text over a reload, and afterwards there is one draft", async () => {
    const page = await world.signIn(ann);
    await begin(page);
    await write(page, { to: "bob@there.test", subject: "Kept", text: "Before." });
    await save(page);
    await page.route("**/jmap/api", (route) => route.abort());
    await page.keyboard.type(" While the line is lost.");
    await status(page, "No connection");
    await page.unroute("**/jmap/api");
    await page.reload();
    await page.getByText("Here is what was not saved").waitFor();
    expect(await text(page).innerText()).toContain("Before. While the line is lost.");
    await status(page, "Saved in Drafts");
    const drafts = await mails(ann, "drafts");
    expect(drafts.map((mail) => bodyOf(mail, "textBody").trim())).toEqual(["Before. While the line is lost."]);
    expect(
      await page.evaluate(() => Object.keys(localStorage).filter((key) => key.startsWith("posthorn.draft"))),
    ).toEqual([]);
  });

  test("sending can be taken back: the composer is there again, and nothing arrives", async () => {
    const page = await world.signIn(ann);
    await begin(page);
    await write(page, { to: bob.address, subject: "Too early", text: "Not yet" });
    await page.getByRole("button", { name: "Send", exact: true }).click();
    await page.locator(".toast").getByRole("button", { name: "Undo" }).click();
    await text(page).waitFor();
    expect(await text(page).innerText()).toContain("Not yet");
    expect(await page.locator(".chip").innerText()).toContain(bob.address);
    await until(async () => (await mails(ann, "drafts")).length).toBe(1);
    expect(await mails(ann, "sent")).toEqual([]);
    const { list } = await one<GetResult>(ann.client, "EmailSubmission/get", { ids: null });
    expect(list).toMatchObject([{ undoStatus: "canceled" }]);
  });

  test("files are attached by the button and by dropping, with progress, and arrive", async () => {
    const page = await world.signIn(ann, { prefs: { undoSendSeconds: 0 } });
    await begin(page);
    await write(page, { to: bob.address, subject: "Files", text: "Here they are attached." });
    await page.route("**/jmap/upload/**", async (route) => {
      await new Promise((resolve) => setTimeout(resolve, 400));
      await route.continue();
    });
    const notes = { name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("hello notes") };
    await page.locator(".composer input[type=file]").setInputFiles([notes]);
    await page.getByRole("progressbar", { name: /notes.txt/ }).waitFor();
    const dropped = await page.evaluateHandle(() => {
      const data = new DataTransfer();
      data.items.add(new File(["%PDF-1.4"], "plan.pdf", { type: "application/pdf" }));
      return data;
    });
    await page.dispatchEvent(".composer", "dragover", { dataTransfer: dropped });
    await page.getByText("Drop the files here").waitFor();
    await page.dispatchEvent(".composer", "drop", { dataTransfer: dropped });
    await page.getByText("plan.pdf").waitFor();
    // It waits for the files.
    await page.keyboard.press("Control+Enter");
    await page.locator(".toast").getByText("Sent", { exact: true }).waitFor();
    const mail = await arrived("Files");
    expect((mail.attachments as Json[]).map(({ name }) => name).sort()).toEqual(["notes.txt", "plan.pdf"]);
  });

  test("a pasted picture stands in the text, and is a part of the mail", async () => {
    const page = await world.signIn(ann);
    await begin(page);
    await write(page, { to: bob.address, subject: "Picture", text: "Look: " });
    await text(page).evaluate((element) => {
      const png = atob(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
      );
      const data = new DataTransfer();
      data.items.add(new File([Uint8Array.from(png, (char) => char.charCodeAt(0))], "dot.png", { type: "image/png" }));
      element.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
    });
    await text(page).locator("img").waitFor();
    await save(page);
    await until(async () => ((await mails(ann, "drafts"))[0]?.attachments as Json[] | undefined)?.length).toBe(1);
    const [draft] = await mails(ann, "drafts");
    const [picture] = draft!.attachments as Json[];
    expect(picture).toMatchObject({ type: "image/png", disposition: "inline" });
    expect(bodyOf(draft!, "htmlBody")).toContain(`src="cid:${picture!.cid}"`);
  });

  test("what is pasted is cleaned", async () => {
    const page = await world.signIn(ann);
    await begin(page);
    await text(page).click();
    await text(page).evaluate((element) => {
      const data = new DataTransfer();
      data.setData(
        "text/html",
        `<p style="position:fixed;inset:0;background:url(https://evil.test/a.png)">words<script>window.ran = 1</script>
        <img src="https://evil.test/b.png" onerror="window.ran = 2"><a href="javascript:window.ran=3">link</a></p>`,
      );
      element.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
    });
    await text(page).getByText("words").waitFor();
    await page.keyboard.press("Control+z");
    await page.keyboard.press("Control+y");
    const html = await text(page).evaluate((element) => element.innerHTML);
    expect(html).not.toMatch(/script|evil|onerror|javascript|fixed/);
    expect(await page.evaluate(() => "ran" in window)).toBe(false);
  });

  test("addresses that are none are named before anything is sent, and refused ones are marked", async () => {
    const page = await world.signIn(ann);
    await begin(page);
    await write(page, { to: `${bob.address}, nonsense`, subject: "x", text: "y" });
    await page.keyboard.press("Control+Enter");
    await page.getByRole("alert").getByText("“nonsense” is not an address.").first().waitFor();
    expect(await mails(ann, "sent")).toEqual([]);
    await to(page).fill("");
    await page.getByRole("button", { name: `Remove ${bob.address}` }).click();
    await page.keyboard.press("Control+Enter");
    await page.getByRole("alert").getByText("Say to whom it goes.").waitFor();
  });

  test("a promised file that is not there, and a missing subject, are asked about", async () => {
    const page = await world.signIn(ann);
    const question = page.locator("dialog.ask");
    await begin(page);
    await write(page, { to: bob.address, subject: "Report", text: "It is attached." });
    await page.keyboard.press("Control+Enter");
    await question.getByText("“attached”").waitFor();
    await expectNoFaults(page);
    await page.keyboard.press("Escape");
    await question.waitFor({ state: "detached" });
    await write(page, { subject: "" });
    await text(page).fill("Nothing more");
    await page.keyboard.press("Control+Enter");
    await question.getByText("Send it without a subject?").waitFor();
    await question.getByRole("button", { name: "Cancel" }).click();
    await question.waitFor({ state: "detached" });
    expect(await mails(ann, "sent")).toEqual([]);
  });

  test("recipients complete from what was sent", async () => {
    await ann.put({
      mailbox: "sent",
      from: ann.address,
      to: ["Zoë Quill <zoe@far.test>"],
      subject: "earlier",
      keywords: ["$seen"],
    });
    const page = await world.signIn(ann);
    await begin(page);
    await to(page).pressSequentially("quil");
    await page.getByRole("option", { name: /Zoë Quill/ }).waitFor();
    await page.keyboard.press("Enter");
    await page.locator(".chip").getByText("Zoë Quill").waitFor();
    await expectNoFaults(page);
  });

  test("a mail can leave later: the server holds it", async () => {
    const page = await world.signIn(ann);
    await begin(page);
    await write(page, { to: bob.address, subject: "Tomorrow", text: "Good morning" });
    await page.getByRole("button", { name: "Send later" }).click();
    await page.getByRole("button", { name: /Tomorrow morning/ }).click();
    await page.locator(".toast").getByText("It will be sent on").waitFor();
    const { list } = await one<GetResult>(ann.client, "EmailSubmission/get", { ids: null });
    expect(list).toMatchObject([{ undoStatus: "pending" }]);
    const hours = (Date.parse(list[0]!.sendAt as string) - Date.now()) / 3_600_000;
    expect(hours).toBeGreaterThan(7);
    expect(hours).toBeLessThan(33);
    expect(list[0]!.sendAt).toMatch(/:00Z$/);
    const entry = page.getByRole("button", { name: /^Scheduled/ });
    await entry.waitFor();
    await page.reload();
    await page.locator(".mailbox").getByText("Sent").click();
    await page
      .locator(".row")
      .filter({ hasText: "Tomorrow" })
      .getByText(/Leaves .*8:00/)
      .waitFor({ timeout: 20_000 });
    await entry.click();
    const dialog = page.getByRole("dialog", { name: "Scheduled" });
    await dialog.getByText("Tomorrow").waitFor();
    await dialog.getByText(`To ${bob.address}`).waitFor();
    await expectNoFaults(page);
    await dialog.getByRole("button", { name: "Cancel and edit" }).click();
    await page.locator(".composer").waitFor();
    expect(await page.getByLabel("Subject").inputValue()).toBe("Tomorrow");
    await entry.waitFor({ state: "detached" });
    const { list: after } = await one<GetResult>(ann.client, "EmailSubmission/get", { ids: null });
    expect(after).toMatchObject([{ undoStatus: "canceled" }]);
  });

  test("plain text only: no rich part", async () => {
    const page = await world.signIn(ann);
    await begin(page);
    await page.getByRole("button", { name: "Plain text" }).click();
    await write(page, { to: bob.address, subject: "Plain", text: "Just\ntext" });
    await save(page);
    const [draft] = await mails(ann, "drafts");
    expect(draft!.htmlBody).toMatchObject([{ type: "text/plain" }]);
    expect(bodyOf(draft!, "textBody")).toBe("Just\ntext");
  });

  test("the signature is in a new mail, and follows the address", async () => {
    const { list } = await one<GetResult>(ann.client, "Identity/get", { ids: null });
    await one(ann.client, "Identity/set", {
      update: { [list[0]!.id as string]: { textSignature: "Ann of Accounts" } },
      create: { b: { name: "Ann at home", email: ann.address, textSignature: "Just Ann" } },
    });
    const page = await world.signIn(ann);
    await begin(page);
    await text(page).getByText("Ann of Accounts").waitFor();
    await text(page).focus();
    await page.keyboard.press("Control+Home");
    await page.keyboard.type("Hello");
    await page.getByLabel("From").selectOption({ label: `Ann at home <${ann.address}>` });
    await text(page).getByText("Just Ann").waitFor();
    expect(await text(page).innerText()).not.toContain("Ann of Accounts");
    expect(await text(page).innerText()).toContain("Hello");
    await save(page);
    const [draft] = await mails(ann, "drafts");
    expect(bodyOf(draft!, "textBody")).toMatch(/\n-- \nJust Ann/);
  });

  test("signed out while writing: the text is there after signing in again", async () => {
    const page = await world.signIn(ann);
    await begin(page);
    await write(page, { subject: "Interrupted", text: "I was saying" });
    await page.context().clearCookies();
    await page.getByText("You were signed out.").waitFor();
    await page.getByLabel("Email address").fill(ann.address);
    await page.getByLabel("Password", { exact: true }).fill("correct horse battery");
    await page.getByRole("button", { name: "Sign in" }).click();
    await text(page).getByText("I was saying").waitFor();
    await status(page, "Saved in Drafts");
    expect(await mails(ann, "drafts")).toHaveLength(1);
  });

  test("on a phone it fills the screen, without sideways scrolling", async () => {
    const page = await world.signIn(ann, {
      viewport: { width: 375, height: 700 },
      hasTouch: true,
      colorScheme: "dark",
    });
    await page.getByRole("button", { name: "New message" }).tap();
    await text(page).waitFor();
    const box = await page.locator(".composer").boundingBox();
    expect(box).toMatchObject({ x: 0, y: 0, width: 375, height: 700 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(375);
    await expectNoFaults(page);
  });
});

test("the composer is loaded when it is first needed, in at most 40 kB", async () => {
  const files = await build();
  const composer = files.find(({ path }) => path.startsWith("/assets/composer-"))!;
  const inbox = files.find(({ path }) => /^\/assets\/inbox-.*js$/.test(path))!;
  // The sanitiser belongs to reading: it comes with the composer only where nothing else has brought it.
  const sanitiser = /dompurify/i.test(inbox.bytes.toString()) ? 0 : 13_000;
  expect(composer.br.length).toBeLessThan(40_000 + sanitiser);
  expect(inbox.bytes.toString()).not.toContain("squire-selection");
});
