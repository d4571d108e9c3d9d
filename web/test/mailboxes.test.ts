import type { Page } from "playwright-core";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { one } from "../../conformance/client/client.ts";
import type { GetResult } from "../../conformance/client/types.ts";
import { share } from "../../src/admin/shares.ts";
import { whyNoBrowser } from "./browser.ts";
import { createWorld, type User, type World } from "./world.ts";

describe.skipIf(whyNoBrowser)("mailboxes", () => {
  let world: World;
  let user: User;
  let users = 0;
  beforeAll(async () => {
    world = await createWorld();
  });
  beforeEach(async () => {
    user = await world.addUser(`user${++users}`);
  });

  const side = (page: Page) => page.getByRole("navigation", { name: "Mailboxes" });
  const names = (page: Page) => side(page).locator(".mailbox-row .mailbox-name").allTextContents();
  const atServer = async () => {
    const { list } = await one<GetResult>(user.client, "Mailbox/get", { ids: null });
    return list
      .filter(({ role }) => role === null)
      .map(({ name }) => name)
      .sort();
  };

  test("come in their usual order, with their counts, and drafts count all", async () => {
    await user.put({ subject: "New" });
    await user.put({ subject: "Draft", mailbox: "drafts", keywords: ["$draft", "$seen"] });
    const page = await world.signIn(user);
    expect(await names(page)).toEqual(["Inbox", "Drafts", "Sent", "Archive", "Junk", "Trash"]);
    await side(page).getByRole("link", { name: "Inbox 1 unread" }).waitFor();
    await side(page).getByRole("link", { name: "Drafts 1 draft" }).click();
    await page.locator(".row-draft").getByText("Draft").waitFor();
    await page.keyboard.press("g");
    await page.keyboard.press("t");
    await page.getByRole("heading", { name: "Sent" }).waitFor();
    await page.goBack();
    await page.getByRole("heading", { name: "Drafts" }).waitFor();
  });

  test("are made, put inside one another, renamed and deleted, and a name that is taken says so", async () => {
    const page = await world.signIn(user);
    const dialog = page.getByRole("dialog");
    await page.getByRole("button", { name: "New mailbox" }).click();
    await dialog.getByLabel("Name").fill("Projects");
    await dialog.getByRole("button", { name: "Save" }).click();
    await side(page).getByRole("link", { name: "Projects" }).click();
    await page.getByRole("button", { name: "New mailbox" }).click();
    await dialog.getByLabel("Name").fill("Projects");
    await dialog.getByRole("button", { name: "Save" }).click();
    await dialog.getByText("There is a mailbox of that name already.").waitFor();
    await dialog.getByLabel("Name").fill("Posthorn");
    await dialog.getByLabel("Inside").selectOption({ label: "Projects" });
    await dialog.getByRole("button", { name: "Save" }).click();
    await side(page).getByRole("link", { name: "Posthorn" }).waitFor();
    await page.getByRole("button", { name: "Hide what is in Projects" }).click();
    await side(page).getByRole("link", { name: "Posthorn" }).waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Show what is in Projects" }).click();
    await side(page).getByRole("link", { name: "Posthorn" }).click();
    await page.getByRole("button", { name: "Options of Posthorn" }).click();
    await dialog.getByRole("button", { name: "Rename" }).click();
    await dialog.getByLabel("Name").fill("Horn");
    await dialog.getByRole("button", { name: "Save" }).click();
    await page.getByRole("heading", { name: "Horn", exact: true }).waitFor();
    expect(await atServer()).toEqual(["Horn", "Projects"]);
    await user.put({ subject: "Inside", mailbox: "Horn" });
    await page.locator(".row-subject").getByText("Inside").waitFor();
    await page.getByRole("button", { name: "Options of Horn" }).click();
    await dialog.getByRole("button", { name: "Delete" }).click();
    await dialog.getByText("with one message in it?").waitFor();
    await dialog.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("heading", { name: "Inbox" }).waitFor();
    expect(await atServer()).toEqual(["Projects"]);
  });

  test("what was deleted for good is listed and comes back where it was", async () => {
    await user.put({ subject: "Contract", mailbox: "trash" });
    await user.put({ subject: "Other", mailbox: "trash" });
    const { ids } = await one<{ ids: string[] }>(user.client, "Email/query", {});
    await one(user.client, "Email/set", { destroy: ids });
    const page = await world.signIn(user);
    await side(page).getByRole("button", { name: "Recently deleted" }).click();
    const dialog = page.getByRole("dialog", { name: "Recently deleted" });
    await dialog.getByText("for 30 days").waitFor();
    expect(await dialog.getByRole("listitem").count()).toBe(2);
    await dialog.getByRole("button", { name: "Restore Contract" }).click();
    await page.locator(".toast").getByText("It is back where it was: Trash").waitFor();
    await dialog.getByText("Contract").waitFor({ state: "detached" });
    await dialog.getByRole("button", { name: "Restore all of these" }).click();
    await dialog.getByText("Nothing was deleted lately.").waitFor();
    await page.keyboard.press("Escape");
    await side(page).getByRole("link", { name: "Trash" }).click();
    await page.locator(".row-subject").getByText("Contract").waitFor();
    expect((await one<{ ids: string[] }>(user.client, "Email/query", {})).ids).toHaveLength(2);
  });

  test("of an account that somebody shares are a click away, live as well, and what is done there is done there", async () => {
    const owner = await world.addUser(`owner${users}`);
    await owner.put({ subject: "For the team" });
    await share(world.admin, owner.address, user.address);
    const page = await world.signIn(user);
    await side(page).getByRole("link", { name: owner.address }).click();
    await page.locator(".row-subject").getByText("For the team").waitFor();
    expect(page.url()).toMatch(/#\/@u\w+\/inbox$/);
    await world.send(owner, { subject: "News for the team" });
    await page.locator(".row-subject").getByText("News for the team").waitFor();
    await page.locator(".row-link").first().focus();
    await page.keyboard.press("e");
    await page.locator(".toast").getByText("Archived").waitFor();
    await side(page).getByRole("link", { name: "Archive" }).click();
    await page.locator(".row-subject").getByText("News for the team").waitFor();
    await side(page).getByRole("link", { name: user.address }).click();
    await page.getByText("Your inbox is empty.").waitFor();
  });
});
