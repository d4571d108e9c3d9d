import type { Page } from "playwright-core";
import { beforeAll, describe, expect, test } from "vitest";
import { one } from "../../conformance/client/client.ts";
import { whyNoBrowser } from "./browser.ts";
import { createWorld, type User, type World } from "./world.ts";

/** A mail is held for as long as it can be taken back. */
const prefs = { undoSendSeconds: 1 };

describe.skipIf(whyNoBrowser)("two people who write to each other", () => {
  let world: World;
  let ann: User;
  let bob: User;
  beforeAll(async () => {
    world = await createWorld();
    ann = await world.addUser("ann");
    bob = await world.addUser("bob");
    const { list } = await one<{ list: { id: string }[] }>(ann.client, "Identity/get", { ids: null });
    await one(ann.client, "Identity/set", { update: { [list[0]!.id]: { name: "Ann Archer" } } });
  });

  const row = (page: Page, text: string) => page.locator(".list-pane .row").filter({ hasText: text });
  const mail = (page: Page, text: string) =>
    page.locator("article.mail.is-open").frameLocator(".mail-frame").getByText(text).first();
  const write = async (page: Page, { to, subject, text }: { to: string; subject: string; text: string }) => {
    await page.getByRole("button", { name: "New message" }).first().click();
    await page.locator(".composer").waitFor();
    await page.getByLabel("To", { exact: true }).fill(`${to},`);
    await page.getByLabel("Subject").fill(subject);
    await page.locator(".composer [contenteditable]").fill(text);
  };

  test("each sees at once what the other writes, in one conversation, in two tabs", { timeout: 60_000 }, async () => {
    const [his, hers] = [await world.signIn(bob, { prefs }), await world.signIn(ann, { prefs })];
    const herOther = await hers.context().newPage();
    await herOther.goto(world.url);
    await write(hers, { to: bob.address, subject: "Sunday walk", text: "Shall we go to the lake?" });
    await hers.keyboard.press("Control+Enter");
    await hers.locator(".toast").getByText("Sent").waitFor();
    await row(his, "Sunday walk").waitFor({ timeout: 20_000 });
    await row(his, "Sunday walk").getByText("Ann Archer").waitFor();
    await row(his, "Sunday walk").locator(".row-link").click();
    await mail(his, "Shall we go to the lake?").waitFor();
    await his.keyboard.press("r");
    await his.locator(".composer [contenteditable]").waitFor();
    expect(await his.getByLabel("Subject").inputValue()).toBe("Re: Sunday walk");
    await his.keyboard.type("At ten, by the bridge.");
    await his.keyboard.press("Control+Enter");
    for (const tab of [hers, herOther]) await row(tab, "Sunday walk").waitFor({ timeout: 20_000 });
    await row(hers, "Sunday walk").locator(".row-link").click();
    await mail(hers, "At ten, by the bridge.").waitFor();
    // Her own mail is in it, folded, as is what he quoted.
    expect(await hers.locator("article.mail").count()).toBe(2);
    await row(herOther, "Sunday walk").getByText("Unread.").waitFor({ state: "detached" });
    await row(his, "Sunday walk").locator(".row-members").getByText("2").waitFor();
  });

  test("Ctrl-S saves, and says so; the draft opens from Drafts", async () => {
    const page = await world.signIn(ann);
    await write(page, { to: bob.address, subject: "Half a thought", text: "Perhaps" });
    await page.keyboard.press("Control+s");
    await page.locator(".composer").getByText("Saved in Drafts").waitFor();
    await page.keyboard.press("Escape");
    await page.locator(".composer").waitFor({ state: "detached" });
    await page.locator(".mailbox").getByText("Drafts").click();
    await row(page, "Half a thought").locator(".row-link").click();
    await page.locator(".composer").waitFor();
    expect(await page.getByLabel("Subject").inputValue()).toBe("Half a thought");
  });

  test("a draft of an answer is open when it is opened from Drafts", async () => {
    await ann.put({ subject: "Plan", from: bob.address, keywords: ["$seen"], messageId: "p1@x.test" });
    await ann.put({
      ...{ subject: "Re: Plan", from: ann.address, to: bob.address, text: "Not finished yet" },
      ...{ mailbox: "drafts", keywords: ["$draft", "$seen"], messageId: "p2@x.test", references: ["p1@x.test"] },
    });
    const page = await world.signIn(ann, { at: "#/drafts" });
    await row(page, "Plan").locator(".row-link").click();
    await page.locator("article.mail.is-open").getByText("Not finished yet").waitFor();
    await page.getByRole("button", { name: "Continue writing" }).click();
    await page.locator(".composer").waitFor();
  });

  test("what did not arrive says so at the mail, and in a report whose parts have names", async () => {
    const page = await world.signIn(ann, { prefs });
    await write(page, { to: "nobody@here.test", subject: "Into the void", text: "Hello?" });
    await page.keyboard.press("Control+Enter");
    await row(page, "Undelivered: Into the void").locator(".row-link").click();
    await page.locator(".mail-text").getByText("Your message could not be delivered to:").waitFor();
    await page.locator("article.mail", { hasText: "Hello?" }).locator(".mail-toggle").click();
    await page.getByText("Not delivered to 1 recipient").waitFor();
    await page.getByText("nobody@here.test: not delivered").waitFor();
    await page.getByText("There is no such address.").waitFor();
    await page.getByText(/The server said: 550 5\.1\.1/).waitFor();
    await page.locator(".attachment-name").getByText("Delivery report.txt").first().waitFor();
  });
});
