import type { Page } from "playwright-core";
import { beforeAll, describe, expect, test } from "vitest";
import { one } from "../../conformance/client/client.ts";
import { whyNoBrowser } from "./browser.ts";
import { allSizes, look, sizes } from "./look.ts";
import { putRaw } from "./raw-mail.ts";
import { createWorld, type User, type World } from "./world.ts";

describe.skipIf(whyNoBrowser)("searching", () => {
  let world: World;
  let ann: User;

  beforeAll(async () => {
    world = await createWorld();
    ann = await world.addUser("ann");
    const bob = "Bob Best <bob@sender.test>";
    const file = { filename: "a.txt", content: "1" };
    await putRaw(
      ann,
      Array.from(
        { length: 120 },
        (_, n) => `From: Filler <f@x.test>\r\nSubject: Filler ${n}\r\n\r\nNothing of note.\r\n`,
      ),
    );
    await ann.put({
      from: bob,
      subject: "Harbour <plan>",
      text: "We meet at the old harbour & eat.",
      attachments: [file],
    });
    await ann.put({ from: bob, subject: "Lunch", text: "Not at the harbour.", mailbox: "archive" });
    await ann.put({ from: "Carol <carol@x.test>", subject: "Harbour", text: "From Carol.", keywords: ["$seen"] });
    await ann.put({ from: bob, subject: "Harbour in junk", text: "Buy a harbour.", mailbox: "junk" });
  });

  const field = (page: Page) => page.getByRole("combobox", { name: "Search mail" });
  const search = async (page: Page, text: string) => {
    await field(page).fill(text);
    await page.keyboard.press("Enter");
    await page.locator(".search-chips").waitFor();
  };
  const subjects = (page: Page) => page.locator(".list-pane .row-subject").allTextContents();
  const found = (page: Page, wanted: string[]) =>
    expect.poll(async () => (await subjects(page)).sort(), { timeout: 10_000 }).toEqual(wanted.toSorted());

  test("operators find what Email/query finds, in all mailboxes but Junk and Trash; hits are marked", async () => {
    const page = await world.signIn(ann);
    await page.keyboard.press("/");
    await page.keyboard.type("from:bob harbour ");
    await page.keyboard.press("Enter");
    await found(page, ["Harbour <plan>", "Lunch"]);
    const { ids } = await one<{ ids: string[] }>(ann.client, "Email/query", {
      filter: { operator: "AND", conditions: [{ from: "bob" }, { text: "harbour" }] },
    });
    expect(ids.length).toBe(3);
    await page.locator(".row-subject mark").getByText("Harbour").waitFor();
    await expect.poll(() => page.locator(".row-preview mark").allTextContents()).toEqual(["harbour", "harbour"]);
    await page.locator(".row", { hasText: "<plan>" }).getByText("old harbour & eat.").waitFor();
    await page.getByRole("button", { name: "Search Junk and Trash too" }).click();
    await found(page, ["Harbour <plan>", "Harbour in junk", "Lunch"]);
    await search(page, "harbour has:attachment");
    await found(page, ["Harbour <plan>"]);
    await search(page, "harbour -from:bob is:read");
    await found(page, ["Harbour"]);
    await search(page, "in:archive");
    await found(page, ["Lunch"]);
  });

  test("where nothing has the words, those that begin so are a click away; ages have words", async () => {
    const page = await world.signIn(ann);
    await search(page, "harb from:carol");
    await page.getByText("Whole words are looked for.").waitFor();
    await page.getByRole("button", { name: "Search for words that begin so" }).click();
    await found(page, ["Harbour"]);
    expect(await field(page).inputValue()).toBe("harb* from:carol");
    await field(page).fill("harbour after:");
    await page.getByRole("option", { name: "a week ago after:7d" }).click();
    await page.keyboard.press("Enter");
    await found(page, ["Harbour", "Harbour <plan>", "Lunch"]);
  });

  test("conditions are chips that can be taken away; what means nothing says so", async () => {
    const page = await world.signIn(ann);
    await search(page, "harbour from:carol is:nonsense");
    await page.getByText("Nothing was found.").waitFor();
    const chips = page.getByRole("list", { name: "What is searched for" }).getByRole("listitem");
    expect(await chips.allTextContents()).toEqual(["harbour", "from: carol", "is: nonsense"]);
    expect(await chips.last().getAttribute("title")).toContain("means nothing");
    await page.getByRole("button", { name: "Remove is: nonsense" }).click();
    await found(page, ["Harbour"]);
    expect(await field(page).inputValue()).toBe("harbour from:carol");
  });

  test("senders, mailboxes and operators are suggested, and taken by keys", async () => {
    const page = await world.signIn(ann);
    await page.keyboard.press("/");
    await page.keyboard.type("fro");
    await page.getByRole("option", { name: /from:/ }).waitFor();
    await page.keyboard.press("Tab");
    await page.keyboard.type("bes");
    await page.getByRole("option", { name: "Bob Best" }).waitFor();
    await page.keyboard.press("ArrowDown");
    expect(await field(page).getAttribute("aria-activedescendant")).toBe(
      await page.getByRole("option", { name: "Bob Best" }).getAttribute("id"),
    );
    await page.keyboard.press("Enter");
    expect(await field(page).inputValue()).toBe("from:bob@sender.test ");
    await page.keyboard.type("in:arc");
    await page.getByRole("option", { name: /Archive/ }).click();
    await page.keyboard.press("Enter");
    await found(page, ["Lunch"]);
  });

  test("Escape is back where one was: the list, its place, and the open conversation", async () => {
    const page = await world.signIn(ann);
    await page.locator(".row-link").first().waitFor();
    await page.locator(".virtual").evaluate((element) => {
      element.scrollTop = 3_000;
    });
    await page.locator(".row", { hasText: "Filler 80" }).locator(".row-link").click();
    await page.locator("article.mail.is-open").waitFor();
    const top = await page.locator(".virtual").evaluate((element) => element.scrollTop);
    const url = page.url();
    await search(page, "harbour");
    await page.locator(".row", { hasText: "Harbour" }).first().locator(".row-link").click();
    await page.getByText("Harbour").first().waitFor();
    await page.keyboard.press("Escape");
    await page.getByText("Choose a conversation").waitFor();
    await page.keyboard.press("Escape");
    await expect.poll(() => page.url()).toBe(url);
    await page.locator("article.mail.is-open").waitFor();
    await expect.poll(() => page.locator(".virtual").evaluate((element) => element.scrollTop)).toBe(top);
    await page.keyboard.press("/");
    await page.keyboard.type("half a wo");
    await page.keyboard.press("Escape");
    expect(await field(page).inputValue()).toBe("");
  });

  test.each(allSizes)("%s, light and dark: axe finds nothing", async (size) => {
    const page = await world.signIn(ann, sizes[size]);
    await field(page).fill("from:bo");
    await page.getByRole("option", { name: "Bob Best" }).waitFor();
    await look(page, `${size}-search-suggestions`);
    await search(page, "harbour from:bob is:nonsense");
    await search(page, "harbour from:bob");
    await page.locator("mark").first().waitFor();
    await look(page, `${size}-search`);
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
  });
});
