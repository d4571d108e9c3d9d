import type { Page } from "playwright-core";
import { beforeAll, describe, expect, test } from "vitest";
import { one } from "../../conformance/client/client.ts";
import { expectNoFaults } from "./axe.ts";
import { whyNoBrowser } from "./browser.ts";
import { createWorld, password, type User, type World } from "./world.ts";

describe.skipIf(whyNoBrowser)("a start without a line", () => {
  let world: World;
  let user: User;
  let users = 0;
  beforeAll(async () => {
    world = await createWorld();
  });

  const row = (page: Page, text: string) => page.locator(".list-pane .row").filter({ hasText: text });
  const bar = (page: Page) => page.locator(".offline-bar");

  /** Signed in by the form, with two mails of which one was read, and all that is kept is kept: after a while by itself, at once when the page is hidden. */
  const begin = async ({ stay, hides = true }: { stay: boolean; hides?: boolean }) => {
    user = await world.addUser(`user${++users}`);
    await user.put({ subject: "Never opened", text: "Unknown", receivedAt: new Date(Date.now() - 7_200_000) });
    await user.put({ subject: "Read before", html: "<p>Words to <b>keep</b></p>", keywords: ["$seen"] });
    const page = await world.open({ serviceWorkers: "allow" });
    await page.goto(world.url);
    await page.getByLabel("Email address").fill(user.address);
    await page.getByLabel("Password", { exact: true }).fill(password);
    if (stay) await page.getByLabel("Stay signed in on this device").check();
    await page.getByRole("button", { name: "Sign in" }).click();
    await row(page, "Read before").locator(".row-link").click();
    await page.frameLocator(".mail-frame").getByText("Words to keep").waitFor();
    await page.evaluate(() => navigator.serviceWorker.ready.then(() => {}));
    if (hides) await hide(page);
    // The list alone has these words without their markup.
    if (stay) await expect.poll(() => keptMail(page), { timeout: 10_000 }).toContain("Words to <b>");
    await page.goto(`${world.url}/#/inbox`);
    return page;
  };
  const keptMail = (page: Page) =>
    page.evaluate(async () => {
      const kept = await caches.match("/kept", { cacheName: "posthorn-mail" });
      return (await kept?.text()) ?? "";
    });
  /** As when another tab is in front: what is to be kept is kept at once. */
  const hide = (page: Page) =>
    page.evaluate(async () => {
      Object.defineProperty(document, "hidden", { value: true, configurable: true });
      dispatchEvent(new Event("visibilitychange"));
      Reflect.deleteProperty(document, "hidden");
      await new Promise((resolve) => setTimeout(resolve, 200));
    });
  const starred = async () => {
    const { ids } = await one<{ ids: string[] }>(user.client, "Email/query", { filter: { hasKeyword: "$flagged" } });
    return ids.length;
  };

  test("shows the list, what was read, and what waits; then it catches up", { timeout: 60_000 }, async () => {
    const page = await begin({ stay: true, hides: false });
    await page.context().setOffline(true);
    await row(page, "Read before").getByRole("button", { name: "Add star" }).click();
    await bar(page).getByText("One change waits").waitFor();
    await page.reload();
    await row(page, "Read before").getByRole("button", { name: "Remove star" }).waitFor();
    await bar(page).getByText("One change waits").waitFor();
    await expectNoFaults(page);
    await row(page, "Read before").locator(".row-link").click();
    await page.frameLocator(".mail-frame").getByText("Words to keep").waitFor();
    await row(page, "Never opened").locator(".row-link").click();
    await page.getByText("The conversation could not be loaded.").waitFor();
    await world.send(user, { subject: "Meanwhile" });
    expect(await starred()).toBe(0);
    await page.context().setOffline(false);
    await row(page, "Meanwhile").waitFor({ timeout: 15_000 });
    await expect.poll(starred, { timeout: 10_000 }).toBe(1);
    await bar(page).waitFor({ state: "hidden" });
  });

  test("what is written is there again, and is saved when the line is back", { timeout: 60_000 }, async () => {
    const page = await begin({ stay: true });
    const known = () =>
      page.evaluate(() => Object.keys(localStorage).some((key) => key.startsWith("posthorn.identities.")));
    await expect.poll(known, { timeout: 10_000 }).toBe(true);
    await page.context().setOffline(true);
    await page.keyboard.press("c");
    await page.locator(".composer").waitFor();
    await page.getByLabel("Subject").fill("Written in a tunnel");
    await page.waitForTimeout(500);
    await page.reload();
    await page.locator(".composer").waitFor({ timeout: 20_000 });
    expect(await page.getByLabel("Subject").inputValue()).toBe("Written in a tunnel");
    await page.context().setOffline(false);
    const drafts = async () => {
      const query = { filter: { inMailbox: await user.mailboxId("drafts") } };
      return (await one<{ ids: string[] }>(user.client, "Email/query", query)).ids.length;
    };
    await expect.poll(drafts, { timeout: 20_000 }).toBe(1);
  });

  test("nothing of the mail is kept where nobody stays signed in, nor after signing out or the end of the session", {
    timeout: 60_000,
  }, async () => {
    const passing = await begin({ stay: false });
    expect(await keptMail(passing)).toBe("");
    const leaving = await begin({ stay: true });
    await leaving.getByRole("button", { name: "Sign out" }).click();
    await leaving.getByRole("button", { name: "Sign in" }).waitFor();
    expect(await keptMail(leaving)).toBe("");
    const ended = await begin({ stay: true });
    // As after a change of the password, when the server no longer knows the session.
    await ended.context().clearCookies();
    await ended.reload();
    await ended.getByRole("button", { name: "Sign in" }).waitFor();
    await expect.poll(() => keptMail(ended)).toBe("");
  });
});
