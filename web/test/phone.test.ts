import type { Page } from "playwright-core";
import { beforeAll, describe, expect, test } from "vitest";
import { whyNoBrowser } from "./browser.ts";
import { settled } from "./look.ts";
import { createWorld, type User, type World } from "./world.ts";

const phone = { viewport: { width: 375, height: 720 }, hasTouch: true, isMobile: true };
const minTarget = 44;

describe.skipIf(whyNoBrowser)("on a phone, by touch alone", () => {
  let world: World;
  let user: User;
  beforeAll(async () => {
    world = await createWorld();
    user = await world.addUser("ann");
    for (let n = 0; n < 40; n++) {
      const receivedAt = new Date(Date.now() - (n + 1) * 3_600_000);
      const subject = n === 1 ? `A subject without an end ${"and on ".repeat(30)}${"x".repeat(200)}` : `Mail ${n}.`;
      await user.put({ subject, keywords: ["$seen"], receivedAt });
    }
  });

  const row = (page: Page, text: string) => page.locator(".list-pane .row").filter({ hasText: text });

  /** Nothing sticks out, and every target is large enough for a finger. */
  const fits = async (page: Page) => {
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    expect(wide).toBeLessThanOrEqual(phone.viewport.width);
    const small = await page.evaluate((min) => {
      const targets = [...document.querySelectorAll("button, a, select, input, label.check, label.select-all")];
      return targets.flatMap((target) => {
        const box = target.getBoundingClientRect();
        const isSeen =
          target.checkVisibility({ visibilityProperty: true }) && box.width > 1 && box.right > 0 && box.bottom > 0;
        const inLabel = target.matches("input") && target.closest("label.check, label.select-all");
        if (!isSeen || inLabel || (box.height >= min && box.width >= min)) return [];
        return [
          `${target.tagName} ${target.getAttribute("aria-label") ?? target.textContent?.slice(0, 40)}: ${box.width} x ${box.height}`,
        ];
      });
    }, minTarget);
    expect(small).toEqual([]);
  };

  test("a conversation takes the screen, and Back leads to where the list was", async () => {
    const page = await world.signIn(user, phone);
    await row(page, "Mail 0.").waitFor();
    await fits(page);
    expect(await page.locator(".reading-pane").isVisible()).toBe(false);
    await page.locator(".virtual").evaluate((element) => element.scrollTo(0, 900));
    await row(page, "Mail 13.").locator(".row-link").tap();
    await page.getByRole("button", { name: "Back to the list" }).waitFor();
    expect(await page.locator(".list-pane").isVisible()).toBe(false);
    await fits(page);
    await page.goBack();
    await row(page, "Mail 13.").waitFor();
    expect(await page.locator(".virtual").evaluate((element) => element.scrollTop)).toBe(900);
    await row(page, "Mail 12.").locator(".row-link").tap();
    await page.getByRole("button", { name: "Back to the list" }).tap();
    await row(page, "Mail 12.").waitFor();
    // Not another step on the way back, but a step back.
    expect(await page.evaluate(() => document.querySelector(".is-list") !== null)).toBe(true);
  });

  test("mailboxes come from the side, and close when one was chosen, by a tap beside them and by Back's key", async () => {
    const page = await world.signIn(user, phone);
    const side = page.getByRole("navigation", { name: "Mailboxes" });
    await row(page, "Mail 0.").waitFor();
    expect(await side.isVisible()).toBe(false);
    await page.locator(".drawer-button").tap();
    await side.getByRole("link", { name: "Sent" }).waitFor();
    await fits(page);
    await side.getByRole("link", { name: "Sent" }).tap();
    await page.getByRole("heading", { name: "Sent" }).waitFor();
    await side.waitFor({ state: "hidden" });
    await page.locator(".drawer-button").tap();
    await side.waitFor();
    await page.touchscreen.tap(360, 300);
    await side.waitFor({ state: "hidden" });
  });

  test("a tap on a face selects; all that can be done has words, and can be taken back", async () => {
    const page = await world.signIn(user, phone);
    await row(page, "Mail 0.")
      .getByRole("button", { name: /^Select/ })
      .tap();
    await row(page, "Mail 2.")
      .getByRole("button", { name: /^Select/ })
      .tap();
    await page.getByText("2 selected").waitFor();
    await fits(page);
    await page.getByRole("button", { name: "More" }).tap();
    await fits(page);
    await page.getByRole("dialog").getByRole("button", { name: "Move to…" }).tap();
    await page.getByRole("dialog").getByRole("button", { name: "Archive" }).tap();
    await page.locator(".toast").getByText("2 conversations moved to Archive").waitFor();
    await fits(page);
    await row(page, "Mail 2.").waitFor({ state: "detached" });
    await page.locator(".toast").getByRole("button", { name: "Undo" }).tap();
    await row(page, "Mail 2.").waitFor();
  });

  test("the sign-in screen and the writing of mail fit as well", async () => {
    const page = await world.open(phone);
    await page.goto(world.url);
    await page.getByRole("button", { name: "Sign in" }).waitFor();
    await fits(page);
    const inbox = await world.signIn(user, phone);
    await inbox.getByRole("button", { name: "New message" }).tap();
    await inbox.getByRole("textbox", { name: "Text" }).waitFor();
    await settled(inbox);
    const wide = await inbox.evaluate(() => document.documentElement.scrollWidth);
    expect(wide).toBeLessThanOrEqual(phone.viewport.width);
  });
});
