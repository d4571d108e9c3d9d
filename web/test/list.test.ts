import type { Locator, Page } from "playwright-core";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { one } from "../../conformance/client/client.ts";
import type { GetResult } from "../../conformance/client/types.ts";
import { whyNoBrowser } from "./browser.ts";
import { createWorld, type User, type World } from "./world.ts";

const hourMs = 3_600_000;

describe.skipIf(whyNoBrowser)("the list of conversations", () => {
  let world: World;
  let user: User;
  let users = 0;
  beforeAll(async () => {
    world = await createWorld();
  });
  beforeEach(async () => {
    user = await world.addUser(`user${++users}`);
  });

  const row = (page: Page, text: string): Locator => page.locator(".list-pane .row").filter({ hasText: text });
  const link = (page: Page, text: string): Locator => row(page, text).locator(".row-link");
  const select = (page: Page, text: string) => row(page, text).getByRole("button", { name: /^Select/ });
  const subjects = (page: Page) => page.locator(".list-pane .row-subject").allTextContents();
  const said = (page: Page, text: string | RegExp) => page.locator(".toast").getByText(text).waitFor();
  const press = (page: Page, ...keys: string[]) =>
    keys.reduce((before, key) => before.then(() => page.keyboard.press(key)), Promise.resolve());

  /** Read mails with these subjects, the first the newest. */
  const fill = async (...wanted: string[]) => {
    for (const [at, subject] of wanted.entries()) {
      await user.put({ subject, keywords: ["$seen"], receivedAt: new Date(Date.now() - (at + 1) * hourMs) });
    }
  };
  /** What the server has, as mailbox names and keywords by subject. */
  const atServer = async () => {
    const { list: mailboxes } = await one<GetResult>(user.client, "Mailbox/get", { ids: null });
    const names = new Map(mailboxes.map(({ id, name }) => [String(id), String(name)]));
    const { ids } = await one<{ ids: string[] }>(user.client, "Email/query", {});
    const { list } = await one<GetResult>(user.client, "Email/get", {
      ids,
      properties: ["subject", "mailboxIds", "keywords"],
    });
    return Object.fromEntries(
      list.map(({ subject, mailboxIds, keywords }) => [
        subject as string,
        [...Object.keys(mailboxIds as object).map((id) => names.get(id)), ...Object.keys(keywords as object)]
          .sort()
          .join(" "),
      ]),
    );
  };
  const atLast = (look: () => Promise<unknown>, wanted: unknown) =>
    expect.poll(look, { timeout: 10_000 }).toEqual(wanted);

  test("mail that comes in shows by itself: its row, the counts, the title, and a word for screen readers", async () => {
    await fill("Old");
    const page = await world.signIn(user);
    await link(page, "Old").waitFor();
    expect(await page.title()).toBe(`Inbox – ${user.address}`);
    await world.send(user, { subject: "Fresh from outside", text: "Look at this." });
    await link(page, "Fresh from outside").waitFor();
    expect(await subjects(page)).toEqual(["Fresh from outside", "Old"]);
    expect(await row(page, "Fresh").textContent()).toContain("Unread.");
    await page.getByRole("link", { name: /Inbox.*1 unread/ }).waitFor();
    await atLast(() => page.title(), `(1) Inbox – ${user.address}`);
    await page.locator("[role=status]").getByText("1 new message").waitFor({ state: "attached" });
    await atLast(() => page.locator(".list-count").textContent(), "2 conversations");
  });

  test("replies join their conversation in one row, with all who wrote", async () => {
    await user.put({
      subject: "Plan",
      messageId: "<plan@x.test>",
      from: "Bob Baker <bob@x.test>",
      receivedAt: new Date(Date.now() - hourMs),
      keywords: ["$seen"],
    });
    const page = await world.signIn(user);
    await link(page, "Plan").waitFor();
    await world.send(user, {
      subject: "Re: Plan",
      headers: "In-Reply-To: <plan@x.test>\r\nReferences: <plan@x.test>\r\n",
    });
    await link(page, "Re: Plan").waitFor();
    expect(await page.locator(".list-pane .row").count()).toBe(1);
    expect(await row(page, "Plan").locator(".row-names").textContent()).toBe("Bob, Carol");
    expect(await row(page, "Plan").locator(".row-members").textContent()).toBe("2");
  });

  test("new mail moves neither what is in view nor the selection", async () => {
    await fill(...Array.from({ length: 60 }, (_, at) => `Mail ${at}.`));
    const page = await world.signIn(user);
    await link(page, "Mail 0.").waitFor();
    await select(page, "Mail 2.").click();
    const list = page.locator(".virtual");
    await list.evaluate((element) => element.scrollTo(0, 1500));
    await link(page, "Mail 22.").waitFor();
    const placeOf = () => link(page, "Mail 22.").evaluate((element) => Math.round(element.getBoundingClientRect().top));
    const before = await placeOf();
    await world.send(user, { subject: "Meanwhile" });
    await page.locator("[role=status]").getByText("1 new message").waitFor({ state: "attached" });
    await atLast(() => list.evaluate((element) => element.scrollTop), 1576);
    expect(await placeOf()).toBe(before);
    await page.getByText("1 selected").waitFor();
    await list.evaluate((element) => element.scrollTo(0, 0));
    await link(page, "Meanwhile").waitFor();
    expect(await row(page, "Mail 2.").getAttribute("class")).toContain("is-selected");
  });

  test("archive three by keys, and three times z brings all back", async () => {
    await fill("One", "Two", "Three", "Four");
    const page = await world.signIn(user);
    await link(page, "One").focus();
    for (const left of [3, 2, 1]) {
      await press(page, "e");
      await atLast(() => page.locator(".list-pane .row").count(), left);
      await said(page, "Archived");
      // The next one, so that e goes on.
      await atLast(() => page.evaluate(() => document.activeElement?.className), "row-link");
    }
    await atLast(atServer, { One: "$seen Archive", Two: "$seen Archive", Three: "$seen Archive", Four: "$seen Inbox" });
    for (const back of [2, 3, 4]) {
      await press(page, "z");
      await atLast(() => page.locator(".list-pane .row").count(), back);
    }
    expect(await subjects(page)).toEqual(["One", "Two", "Three", "Four"]);
    await atLast(atServer, { One: "$seen Inbox", Two: "$seen Inbox", Three: "$seen Inbox", Four: "$seen Inbox" });
    await press(page, "z");
    await page.locator("[role=status]").getByText("nothing to undo").waitFor({ state: "attached" });
  });

  test("all mails of a conversation that lie here move with it", async () => {
    await user.put({
      subject: "Trip",
      messageId: "<trip@x.test>",
      receivedAt: new Date(Date.now() - 2 * hourMs),
      keywords: ["$seen"],
    });
    await user.put({
      subject: "Re: Trip",
      inReplyTo: "<trip@x.test>",
      references: "<trip@x.test>",
      receivedAt: new Date(Date.now() - hourMs),
      keywords: ["$seen"],
    });
    await user.put({
      subject: "Re: Trip ",
      inReplyTo: "<trip@x.test>",
      references: "<trip@x.test>",
      mailbox: "sent",
      keywords: ["$seen"],
    });
    const page = await world.signIn(user);
    await row(page, "Trip").locator(".row-members").getByText("3").waitFor();
    await link(page, "Trip").focus();
    await press(page, "e");
    await page.getByText("Your inbox is empty.").waitFor();
    await atLast(atServer, { Trip: "$seen Archive", "Re: Trip": "$seen Archive", "Re: Trip ": "$seen Sent" });
  });

  test("shift and a click select a range, and what is done is done to all", async () => {
    await fill("One", "Two", "Three", "Four", "Five");
    const page = await world.signIn(user);
    await select(page, "Two").click();
    await select(page, "Four").click({ modifiers: ["Shift"] });
    await page.getByText("3 selected").waitFor();
    await page.getByRole("button", { name: "Mark as unread" }).click();
    await page.getByRole("link", { name: /Inbox.*3 unread/ }).waitFor();
    await page.getByRole("button", { name: "Delete", exact: true }).click();
    await said(page, "3 conversations moved to Trash");
    expect(await subjects(page)).toEqual(["One", "Five"]);
    await page.locator(".toast").getByRole("button", { name: "Undo" }).click();
    await said(page, "Undone: 3 conversations moved to Trash");
    await atLast(() => subjects(page), ["One", "Two", "Three", "Four", "Five"]);
    await page.getByLabel("Select all").check();
    await page.getByText("5 selected").waitFor();
    await press(page, "Escape");
    await page.getByRole("heading", { name: "Inbox" }).waitFor();
  });

  test("move by v and a part of the name, label by l, star by s", async () => {
    await one(user.client, "Mailbox/set", { create: { a: { name: "Projects" }, b: { name: "Receipts" } } });
    await fill("Bridge", "Hotel", "Train");
    const page = await world.signIn(user);
    await link(page, "Bridge").focus();
    await press(page, "v");
    await page.getByRole("dialog").getByLabel("Find a mailbox").fill("proj");
    await press(page, "Enter");
    await said(page, "Moved to Projects");
    expect(await subjects(page)).toEqual(["Hotel", "Train"]);
    await link(page, "Train").focus();
    await press(page, "v");
    await page.getByRole("dialog").getByLabel("Find a mailbox").fill("Trips");
    await page.getByRole("dialog").getByRole("button", { name: "New mailbox “Trips”" }).click();
    await said(page, "Moved to Trips");
    await link(page, "Hotel").focus();
    await press(page, "l");
    await page.getByRole("dialog").getByLabel("Receipts").check();
    await page.getByRole("button", { name: "Apply" }).click();
    await row(page, "Hotel").locator(".label").getByText("Receipts").waitFor();
    await link(page, "Hotel").focus();
    await press(page, "s");
    await row(page, "Hotel").getByRole("button", { name: "Remove star" }).waitFor();
    await atLast(atServer, {
      Bridge: "$seen Projects",
      Hotel: "$flagged $seen Inbox Receipts",
      Train: "$seen Trips",
    });
    await page.getByRole("link", { name: "Projects" }).click();
    await link(page, "Bridge").waitFor();
  });

  test("junk and not junk tell the spam filter, and deleting in Trash asks", async () => {
    await fill("Cheap pills");
    const page = await world.signIn(user);
    await link(page, "Cheap").focus();
    await press(page, "!");
    await said(page, "Moved to Junk");
    await atLast(atServer, { "Cheap pills": "$junk $seen Junk" });
    await page.getByRole("link", { name: "Junk" }).click();
    await link(page, "Cheap").focus();
    await press(page, "!");
    await said(page, "Moved to the inbox");
    await atLast(atServer, { "Cheap pills": "$notjunk $seen Inbox" });
    await press(page, "g", "i");
    await link(page, "Cheap").focus();
    await press(page, "#");
    await said(page, "Moved to Trash");
    await page.getByRole("link", { name: "Trash" }).click();
    await link(page, "Cheap").focus();
    await press(page, "#");
    await page.getByRole("dialog").getByText("“Recently deleted” has it").waitFor();
    await page.getByRole("dialog").getByRole("button", { name: "Delete for good" }).click();
    await page.getByText("There is nothing here.").waitFor();
    await atLast(atServer, {});
  });

  test("by keys alone: j, k, o, u, x, Shift-I, and ? shows them all", async () => {
    await fill("One", "Two", "Three");
    await user.put({ subject: "New", receivedAt: new Date() });
    const page = await world.signIn(user);
    await link(page, "New").waitFor();
    await press(page, "j", "j");
    await expect.poll(() => page.evaluate(() => document.activeElement?.textContent)).toContain("One");
    await press(page, "k", "I");
    await said(page, "Marked as read");
    await press(page, "x", "j", "x");
    await page.getByText("2 selected").waitFor();
    await press(page, "Escape", "o");
    await page.locator(".reading-pane").getByRole("button", { name: "Back" }).waitFor();
    expect(page.url()).toMatch(/#\/inbox\/t\w+$/);
    await press(page, "j");
    await page.locator(".row.is-open").filter({ hasText: "Two" }).waitFor();
    await press(page, "u");
    await page.getByText("Choose a conversation").waitFor();
    await press(page, "?");
    const help = page.getByRole("dialog", { name: "Keyboard shortcuts" });
    for (const key of ["j", "k", "o", "u", "x", "e", "#", "!", "s", "I", "U", "c", "/", "z", "v", "l"]) {
      await help.locator("kbd").getByText(key, { exact: true }).first().waitFor();
    }
    await press(page, "Escape", "/");
    await expect.poll(() => page.evaluate(() => document.activeElement?.getAttribute("type"))).toBe("search");
    // What is typed is no shortcut.
    await page.keyboard.type("ez");
    expect(await page.locator(".list-pane .row").count()).toBe(4);
  });

  test("a key that follows a closed dialog at once is heard, and so is one that follows an opened one", async () => {
    await fill("One");
    const page = await world.signIn(user);
    await link(page, "One").focus();
    await press(page, "?");
    await page.getByRole("dialog").waitFor();
    // Before the browser has painted anything.
    const titles = await page.evaluate(async () => {
      const type = (key: string) =>
        document.activeElement!.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
      const seen: (string | null)[] = [];
      for (const key of ["Escape", "v", "Escape", "l", "Escape", "?"]) {
        type(key);
        // What the page renders is a microtask away.
        for (let turns = 0; turns < 20; turns++) await Promise.resolve();
        seen.push(document.querySelector("dialog[open]")?.getAttribute("aria-label") ?? null);
      }
      return seen;
    });
    expect(titles).toEqual([null, "Move to", null, "Labels", null, "Keyboard shortcuts"]);
  });

  test("single keys can be turned off", async () => {
    await fill("One");
    const page = await world.signIn(user);
    await page.evaluate(() => localStorage.setItem("posthorn.prefs", JSON.stringify({ singleKeys: false })));
    await page.reload();
    await link(page, "One").focus();
    await press(page, "e", "?");
    expect(await page.getByRole("dialog").count()).toBe(0);
    expect(await subjects(page)).toEqual(["One"]);
  });

  test("the flat list shows each mail, and remembers that it is wanted", async () => {
    await user.put({ subject: "Trip", messageId: "<t@x.test>", receivedAt: new Date(Date.now() - 2 * hourMs) });
    await user.put({
      subject: "Re: Trip",
      inReplyTo: "<t@x.test>",
      references: "<t@x.test>",
      receivedAt: new Date(Date.now() - hourMs),
    });
    const page = await world.signIn(user);
    await atLast(() => subjects(page), ["Re: Trip"]);
    await page.getByRole("button", { name: "Group messages into conversations" }).click();
    await atLast(() => subjects(page), ["Re: Trip", "Trip"]);
    await page.reload();
    await atLast(() => subjects(page), ["Re: Trip", "Trip"]);
    await link(page, "Re: Trip").focus();
    await press(page, "e");
    await atLast(() => subjects(page), ["Trip"]);
    await atLast(atServer, { Trip: "Inbox", "Re: Trip": "Archive" });
  });

  test("two tabs agree, and what another client does shows in both", async () => {
    await fill("One", "Two");
    const page = await world.signIn(user);
    const other = await page.context().newPage();
    await other.goto(world.url);
    await link(other, "One").waitFor();
    await link(page, "One").focus();
    await press(page, "e");
    await row(other, "One").waitFor({ state: "detached" });
    await row(other, "Two").getByRole("button", { name: "Add star" }).click();
    await row(page, "Two").getByRole("button", { name: "Remove star" }).waitFor();
    const { ids } = await one<{ ids: string[] }>(user.client, "Email/query", { filter: { subject: "Two" } });
    await one(user.client, "Email/set", { update: { [ids[0]!]: { "keywords/$seen": null } } });
    for (const tab of [page, other]) await row(tab, "Two").getByText("Unread.").waitFor({ state: "attached" });
    await one(user.client, "Email/set", { destroy: ids });
    for (const tab of [page, other]) await tab.getByText("Your inbox is empty.").waitFor();
  });

  test("a muted conversation leaves the inbox, and so does what comes later of it, until it is no longer muted", async () => {
    const first = "Message-ID: <noise@far.test>\r\n";
    const later = "References: <noise@far.test>\r\n";
    await world.send(user, { subject: "Noise", headers: first });
    const page = await world.signIn(user);
    await link(page, "Noise").focus();
    await press(page, "m");
    await said(page, "later answers go to the archive");
    await row(page, "Noise").waitFor({ state: "detached" });
    await atLast(atServer, { Noise: "$muted $seen Archive" });
    await world.send(user, { subject: "Re: Noise", headers: later });
    await world.send(user, { subject: "Other" });
    await row(page, "Other").waitFor();
    expect(await row(page, "Noise").count()).toBe(0);
    await atLast(atServer, { Noise: "$muted $seen Archive", "Re: Noise": "$muted $seen Archive", Other: "Inbox" });
    await press(page, "g", "a");
    await row(page, "Noise").getByText("Muted.").waitFor({ state: "attached" });
    await link(page, "Noise").focus();
    await press(page, "m");
    await said(page, "Answers come to the inbox again");
    await atLast(atServer, { Noise: "$seen Archive", "Re: Noise": "$seen Archive", Other: "Inbox" });
    await world.send(user, { subject: "Re: Noise", headers: later });
    await press(page, "g", "i");
    await row(page, "Noise").waitFor();
  });

  test("what the server refuses shows as it was, with the reason", async () => {
    await fill("One");
    const page = await world.signIn(user);
    await link(page, "One").waitFor();
    await page.route("**/jmap/api", async (route) => {
      const body = route.request().postDataJSON() as { methodCalls: [string, Record<string, unknown>, string][] };
      for (const [name, args] of body.methodCalls) {
        // As if it had been refused: a keyword that no server takes.
        if (name === "Email/set")
          args.update = Object.fromEntries(
            Object.keys(args.update as object).map((id) => [id, { "keywords/a b": true }]),
          );
      }
      await route.continue({ postData: JSON.stringify(body) });
    });
    await row(page, "One").getByRole("button", { name: "Add star" }).click();
    await said(page, "The server refused the change (invalidProperties).");
    await row(page, "One").getByRole("button", { name: "Add star" }).waitFor();
  });
});
