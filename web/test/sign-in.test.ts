import type { Page } from "playwright-core";
import { beforeAll, describe, expect, test } from "vitest";
import { plainHost, whyNoBrowser } from "./browser.ts";
import { createWorld, password, type User, type World } from "./world.ts";

describe.skipIf(whyNoBrowser)("signing in", () => {
  let world: World;
  let ann: User;
  beforeAll(async () => {
    world = await createWorld();
    ann = await world.addUser("ann");
  });

  const fill = async (page: Page, address: string, secret: string) => {
    await page.getByLabel("Email address").fill(address);
    await page.getByLabel("Password", { exact: true }).fill(secret);
    await page.getByRole("button", { name: "Sign in" }).click();
  };

  test("the right password opens the inbox, and nothing of it is in an address or in reach of a script", async () => {
    const page = await world.open();
    const asked: string[] = [];
    page.on("request", (request) => asked.push(request.url()));
    await page.goto(world.url);
    await fill(page, ann.address, password);
    await page.getByRole("heading", { name: "Inbox" }).waitFor();
    expect(asked.filter((url) => url.includes(password) || url.includes("posthorn_"))).toEqual([]);
    const reach = await page.evaluate(() =>
      JSON.stringify([document.cookie, { ...localStorage }, { ...sessionStorage }]),
    );
    expect(reach).not.toMatch(/posthorn_|correct horse/);
  });

  test("a wrong one says so, without a dialog of the browser's, and keeps what was typed", async () => {
    const page = await world.open();
    await page.goto(world.url);
    await fill(page, ann.address, "wrong");
    await page.getByRole("alert").getByText("The address or the password is wrong.").waitFor();
    expect(await page.getByLabel("Email address").inputValue()).toBe(ann.address);
    await fill(page, ann.address, password);
    await page.getByRole("heading", { name: "Inbox" }).waitFor();
  });

  test("too many wrong ones say to wait", async () => {
    const ben = await world.addUser("ben");
    const page = await world.open();
    await page.goto(world.url);
    const alert = page.getByRole("alert");
    for (let tries = 0; tries < 12 && !(await alert.getByText("Too many").isVisible()); tries++) {
      const answered = page.waitForResponse("**/auth/login");
      await fill(page, ben.address, `wrong ${tries}`);
      await answered;
      await alert.getByText(/wrong|Too many/).waitFor();
    }
    expect(await alert.textContent()).toMatch(/Too many .*attempts\. Wait/);
  });

  test("with “stay” a new start of the browser is still signed in, without it is not", async () => {
    const cookieAfter = async (stay: boolean) => {
      const page = await world.open();
      await page.goto(world.url);
      await page.getByLabel("Stay signed in").setChecked(stay);
      await fill(page, ann.address, password);
      await page.getByRole("heading", { name: "Inbox" }).waitFor();
      const cookies = await page.context().cookies();
      expect(cookies.map(({ httpOnly, sameSite }) => ({ httpOnly, sameSite }))).toEqual([
        { httpOnly: true, sameSite: "Strict" },
      ]);
      return cookies[0]!;
    };
    // A browser forgets the cookies without an end when it closes.
    expect((await cookieAfter(false)).expires).toBe(-1);
    const kept = await cookieAfter(true);
    expect(kept.expires).toBeGreaterThan(Date.now() / 1000 + 29 * 86_400);
    const again = await world.open();
    await again.context().addCookies([kept]);
    await again.goto(world.url);
    await again.getByRole("heading", { name: "Inbox" }).waitFor();
  });

  test("signing out in one tab ends the others", async () => {
    const page = await world.signIn(ann);
    const other = await page.context().newPage();
    await other.goto(world.url);
    await other.getByRole("heading", { name: "Inbox" }).waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByText("Sign in to your mail").waitFor();
    await other.getByText("You were signed out.").waitFor();
    await other.reload();
    await other.getByText("Sign in to your mail").waitFor();
  });

  test("a session that ends elsewhere leads to the sign-in screen, and back to the same place", async () => {
    const page = await world.signIn(ann, { at: "#/sent" });
    await page.getByRole("heading", { name: "Sent" }).waitFor();
    const other = await page.context().newPage();
    await other.goto(`${world.url}/frame/blocked`);
    await page.context().clearCookies();
    await page.getByRole("link", { name: "Drafts" }).click();
    await page.getByText("You were signed out.").waitFor();
    await fill(page, ann.address, password);
    await page.getByRole("heading", { name: "Drafts" }).waitFor();
  });

  test("a connection that is not encrypted says so, and works", async () => {
    const page = await world.open();
    await page.goto(world.url.replace("127.0.0.1", plainHost));
    await page.getByText("This connection is not encrypted").waitFor();
    await fill(page, ann.address, password);
    await page.getByRole("heading", { name: "Inbox" }).waitFor();
    const near = await world.open();
    await near.goto(world.url);
    await near.getByText("Sign in to your mail").waitFor();
    expect(await near.getByText("not encrypted").count()).toBe(0);
  });

  test("a browser in German gets German words", async () => {
    const page = await world.open({ locale: "de-AT" });
    await page.goto(world.url);
    await page.getByRole("button", { name: "Anmelden" }).waitFor();
    expect(await page.evaluate(() => document.documentElement.lang)).toBe("de");
  });
});
