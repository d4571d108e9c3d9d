import { beforeAll, describe, expect, test } from "vitest";
import { one } from "../../conformance/client/client.ts";
import { whyNoBrowser } from "./browser.ts";
import { allSizes, look, settled, sizes } from "./look.ts";
import { createWorld, type User, type World } from "./world.ts";

describe.skipIf(whyNoBrowser)("how the screens look", () => {
  let world: World;
  let user: User;
  beforeAll(async () => {
    world = await createWorld();
    user = await world.addUser("ann");
    await one(user.client, "Mailbox/set", {
      create: { a: { name: "Projects" }, b: { name: "Posthorn", parentId: "#a" }, c: { name: "Receipts" } },
    });
    const mails = [
      {
        from: "Bob Baker <bob@x.test>",
        subject: "Lunch on Thursday?",
        text: "The place by the river has a table at noon. Shall I book it?",
      },
      { from: "نور <nur@x.test>", subject: "مرحبا بك في القائمة", text: "نص قصير من اليمين إلى اليسار" },
      {
        from: "Billing <billing@shop.test>",
        subject: "Your invoice",
        text: "It is attached.",
        attachments: [{ filename: "a.txt", content: "1" }],
      },
      {
        from: "Éva Lind <eva@x.test>",
        subject: "Photos from the lake",
        text: "Here they are.",
        keywords: ["$seen", "$flagged"],
      },
      {
        from: `"${"Longname ".repeat(12).trim()}" <long@x.test>`,
        subject: "Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz".repeat(2),
        text: "x".repeat(300),
        attachments: [{ filename: "b.txt", content: "2" }],
      },
      { from: "Carol Cho <carol@x.test>", subject: "", text: "No subject at all.", keywords: ["$seen", "$answered"] },
    ];
    for (const [at, mail] of mails.entries())
      await user.put({ ...mail, receivedAt: new Date(Date.now() - (at + 1) * 13 * 3_600_000) });
  });

  test.each(allSizes)("%s, light and dark: axe finds nothing on any screen", { timeout: 60_000 }, async (size) => {
    const options = sizes[size];
    const closeDialog = async () => {
      await page.keyboard.press("Escape");
      await page.getByRole("dialog").waitFor({ state: "detached" });
    };
    const named = (screen: string) => `${size}-${screen}`;
    const signIn = await world.open(options);
    await signIn.goto(world.url);
    await signIn.getByRole("button", { name: "Sign in" }).waitFor();
    await look(signIn, named("sign-in"));
    const page = await world.signIn(user, options);
    await page.locator(".row-link").first().waitFor();
    await look(page, named("list"));
    const cut = await page.locator(".list-pane .row").evaluateAll((rows) =>
      rows.filter((row) => {
        const { right } = row.querySelector("time")!.getBoundingClientRect();
        return right > row.getBoundingClientRect().right - 8;
      }),
    );
    expect(cut).toEqual([]);
    if (size !== "desktop") {
      await page.locator(".drawer-button").click();
      await page.locator(".app.has-drawer").waitFor();
      await look(page, named("mailboxes"));
      await page.keyboard.press("Escape");
      await page.locator(".app:not(.has-drawer)").waitFor();
      await settled(page);
    }
    await page
      .getByRole("button", { name: /^Select the/ })
      .first()
      .click();
    await look(page, named("selected"));
    await page.keyboard.press("v");
    await page.getByRole("dialog").waitFor();
    await look(page, named("move"));
    await closeDialog();
    await page.keyboard.press("l");
    await page.getByRole("dialog").waitFor();
    await look(page, named("labels"));
    await closeDialog();
    await page.keyboard.press("Escape");
    await page.keyboard.press("?");
    await page.getByRole("dialog").waitFor();
    await look(page, named("shortcuts"));
    await closeDialog();
    await page.context().setOffline(true);
    await page.getByText("You are offline.").waitFor();
    await look(page, named("offline"));
    await page.context().setOffline(false);
    await page.getByText("You are offline.").waitFor({ state: "detached" });
  });

  test("in a language from right to left, the page turns round and nothing sticks out", async () => {
    const page = await world.signIn(user);
    await page.locator(".row-link").first().waitFor();
    await page.evaluate(() => {
      document.documentElement.dir = "rtl";
    });
    const box = await page.locator(".sidebar").boundingBox();
    expect(box!.x).toBeGreaterThan(900);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(1280);
    await look(page, "desktop-rtl");
  });

  test("a right-to-left subject reads from its own side, whatever the page's", async () => {
    const page = await world.signIn(user);
    const subject = page.locator(".row-subject").getByText("مرحبا");
    expect(await subject.evaluate((element) => getComputedStyle(element).direction)).toBe("rtl");
  });
});
