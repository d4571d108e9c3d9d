import type { Page } from "playwright-core";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { one } from "../../conformance/client/client.ts";
import { expectNoFaults } from "./axe.ts";
import { whyNoBrowser } from "./browser.ts";
import { putRaw } from "./raw-mail.ts";
import { createWorld, type User, type World } from "./world.ts";

const many = 130;

describe.skipIf(whyNoBrowser)("all of a mailbox at once, also what was never looked at", () => {
  let world: World;
  let user: User;
  let users = 0;
  beforeAll(async () => {
    world = await createWorld();
  });
  beforeEach(async () => {
    user = await world.addUser(`user${++users}`);
    const mails = Array.from({ length: many }, (_, n) => `From: a@x.test\r\nSubject: Mail ${n}\r\n\r\nText ${n}\r\n`);
    await putRaw(user, mails);
  });

  const countIn = async (mailbox: string, filter: object = {}) => {
    const inMailbox = await user.mailboxId(mailbox);
    const query = { filter: { inMailbox, ...filter }, calculateTotal: true, limit: 1 };
    return (await one<{ total: number }>(user.client, "Email/query", query)).total;
  };
  const counts = async () => [await countIn("inbox"), await countIn("archive")];
  const atLast = (look: () => Promise<unknown>, wanted: unknown) =>
    expect.poll(look, { timeout: 15_000 }).toEqual(wanted);
  const selectWhole = async (page: Page) => {
    await page.locator(".row-link").first().waitFor();
    await page.getByLabel("Select all that are shown").check();
    await page.getByText(/The \d+ that were loaded are selected\./).waitFor();
    await page.getByRole("button", { name: `Select all ${many} in Inbox` }).click();
    await page.getByText(`All ${many} in Inbox are selected.`).waitFor();
  };

  test("is archived in portions, with progress, and comes back by undo", async () => {
    const page = await world.signIn(user);
    await selectWhole(page);
    await expectNoFaults(page);
    await page.getByRole("button", { name: "Archive" }).click();
    await page.locator(".toast").getByText(`${many} messages moved to Archive`).waitFor();
    await page.getByText("Your inbox is empty.").waitFor();
    await atLast(counts, [0, many]);
    await page.keyboard.press("z");
    await atLast(counts, [many, 0]);
    await page.locator(".row-link").first().waitFor();
  });

  test("is marked as read, without moving, and what was read before stays read when that is undone", async () => {
    const { ids } = await one<{ ids: string[] }>(user.client, "Email/query", { limit: 1 });
    await one(user.client, "Email/set", { update: { [ids[0]!]: { "keywords/$seen": true } } });
    const unread = () => countIn("inbox", { notKeyword: "$seen" });
    const page = await world.signIn(user);
    await selectWhole(page);
    await page.getByRole("button", { name: "More" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Mark as read" }).click();
    await page
      .locator(".toast")
      .getByText(`${many - 1} messages changed`)
      .waitFor();
    await atLast(unread, 0);
    await page.keyboard.press("z");
    await atLast(unread, many - 1);
  });

  test("can be stopped on the way, and what was done until then is told and taken back", async () => {
    const page = await world.signIn(user);
    await selectWhole(page);
    let isHeld: (() => void) | undefined;
    await page.route("**/jmap/api", async (route) => {
      // The first portion waits until the button was pressed.
      if (route.request().postData()!.includes('"Email/set"') && !isHeld)
        await new Promise<void>((go) => (isHeld = go));
      await route.continue();
    });
    await page.getByRole("button", { name: "Archive" }).click();
    const dialog = page.getByRole("dialog", { name: "Changing many messages" });
    await dialog.getByText(`0 of ${many} messages`).waitFor();
    await expectNoFaults(page);
    await dialog.getByRole("button", { name: "Stop" }).click();
    await expect.poll(() => isHeld).toBeDefined();
    isHeld!();
    await dialog.waitFor({ state: "detached" });
    await page.locator(".toast").getByText("messages moved to Archive").waitFor();
    await page.keyboard.press("z");
    await atLast(counts, [many, 0]);
  });

  test("in Trash it is deleted for good, after a question", async () => {
    const [inbox, trash] = [await user.mailboxId("inbox"), await user.mailboxId("trash")];
    const { ids } = await one<{ ids: string[] }>(user.client, "Email/query", {});
    const update = Object.fromEntries(ids.map((id) => [id, { mailboxIds: { [trash]: true } }]));
    await one(user.client, "Email/set", { update });
    expect(inbox).not.toBe(trash);
    const page = await world.signIn(user, { at: "#/trash" });
    await page.locator(".row-link").first().waitFor();
    await page.getByLabel("Select all that are shown").check();
    await page.getByRole("button", { name: `Select all ${many} in Trash` }).click();
    await page.getByRole("button", { name: "Delete for good" }).click();
    await page.getByRole("dialog").getByText("“Recently deleted” has it for a while.").waitFor();
    await page.getByRole("dialog").getByRole("button", { name: "Delete for good" }).click();
    await page.locator(".toast").getByText(`${many} messages deleted for good`).waitFor();
    await atLast(() => countIn("trash"), 0);
  });
});
