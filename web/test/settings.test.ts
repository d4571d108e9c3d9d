import type { Page } from "playwright-core";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { connect, one } from "../../conformance/client/client.ts";
import type { GetResult } from "../../conformance/client/types.ts";
import { openArchive } from "../../src/admin/export/open-archive.ts";
import { decodeId, idPrefix } from "../../src/base/ids.ts";
import { setQuota } from "../../src/store/mail/quota.ts";
import { expectNoFaults } from "./axe.ts";
import { whyNoBrowser } from "./browser.ts";
import { createWorld, password, type User, type World } from "./world.ts";

describe.skipIf(whyNoBrowser)("the settings", () => {
  let world: World;
  let ann: User;
  let count = 0;
  beforeAll(async () => {
    world = await createWorld();
  });
  beforeEach(async () => {
    ann = await world.addUser(`ann${++count}`);
  });

  const at = (section: string, options = {}) => world.signIn(ann, { at: `#/settings/${section}`, ...options });
  const said = (page: Page, text: string) => page.locator(".toast").getByText(text).waitFor();

  test("the look, the language and the keys are kept by this browser", async () => {
    const page = await at("general");
    await expectNoFaults(page);
    await page.getByLabel("Appearance").selectOption("dark");
    await page.getByLabel("Single keys").uncheck();
    expect(await page.evaluate(() => document.documentElement.dataset.theme)).toBe("dark");
    await expectNoFaults(page);
    await page.getByLabel("Language").selectOption("de");
    await page.getByRole("heading", { name: "Einstellungen" }).waitFor();
    await page.reload();
    await page.getByRole("heading", { name: "Einstellungen" }).waitFor();
    await page.keyboard.press("c");
    await page.waitForTimeout(300);
    expect(await page.locator(".composer").count()).toBe(0);
  });

  test("an address gets a name and a signature, and another one is added", async () => {
    const page = await at("identities");
    await page.getByRole("button", { name: `Edit: ${ann.address}` }).click();
    await page.getByLabel("Name").fill("Ann Lee");
    await page.getByRole("textbox", { name: "Signature" }).fill("Ann Lee\nAccounts");
    await page.getByLabel("Answers go to").fill("nonsense");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("alert").getByText("“nonsense” is not an address.").waitFor();
    await page.getByLabel("Answers go to").fill("Office <office@here.test>");
    await page.getByRole("button", { name: "Save" }).click();
    await said(page, "Saved");
    await page.getByText("Ann Lee").first().waitFor();
    await page.getByRole("button", { name: "Add an address" }).click();
    await page.getByRole("textbox", { name: "Address" }).fill("stranger@elsewhere.test");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("alert").getByText("This is not an address of your account.").waitFor();
    await expectNoFaults(page);
    const { list } = await one<GetResult>(ann.client, "Identity/get", { ids: null });
    expect(list).toMatchObject([
      { name: "Ann Lee", textSignature: "Ann Lee\nAccounts", replyTo: [{ name: "Office", email: "office@here.test" }] },
    ]);
  });

  test("an archive of all mail is asked for and downloaded, in English and German", async () => {
    await ann.put({ subject: "taken along" });
    const page = await at("data");
    await expectNoFaults(page);
    await page.getByRole("button", { name: "Make an archive" }).click();
    await said(page, "The archive is being made.");
    const link = page.getByRole("link", { name: "Download" });
    await link.waitFor();
    await page
      .getByRole("status")
      .getByText(/, until /)
      .waitFor();
    await expectNoFaults(page);
    const [file] = await Promise.all([page.waitForEvent("download"), link.click()]);
    expect(file.suggestedFilename()).toMatch(/^mail-\d{4}-\d\d-\d\d\.tar$/);
    const archive = await openArchive(await file.path());
    expect(archive.manifest).toMatchObject({ account: { address: ann.address }, messages: { count: 1 } });
    await archive.close();
    await page.getByRole("button", { name: "Make an archive" }).click();
    await page.locator(".toast.is-error").waitFor();
    await page.goto(`${world.url}/#/settings/general`);
    await page.getByLabel("Language").selectOption("de");
    await page.getByRole("link", { name: "Ihre Daten" }).click();
    await page.getByRole("button", { name: "Archiv erstellen" }).waitFor();
    await page.getByRole("button", { name: /^Löschen: Archiv vom/ }).click();
    await page.getByRole("link", { name: "Herunterladen" }).waitFor({ state: "detached" });
  });

  test("the absence note is switched on for a time", async () => {
    const page = await at("vacation");
    await page.getByLabel("Answer mails with this note").check();
    await page.getByLabel("From").fill("2027-02-03T08:00");
    await page.getByLabel("Until").fill("2027-02-01T08:00");
    await page.getByLabel("Text").fill("Back soon.");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("alert").getByText("It ends before it begins.").waitFor();
    await page.getByLabel("Until").fill("2027-02-10T08:00");
    await page.getByRole("button", { name: "Save" }).click();
    await said(page, "Saved: mails are answered with this note");
    await expectNoFaults(page);
    const { list } = await one<GetResult>(ann.client, "VacationResponse/get", { ids: null });
    expect(list).toMatchObject([
      { isEnabled: true, textBody: "Back soon.", fromDate: expect.stringMatching(/^2027-02-03T/) },
    ]);
  });

  test("a masked address is made for one party, switched off, and deleted after a question", async () => {
    const page = await at("masked");
    const masked = async () => {
      const using = [...ann.client.using, "https://posthorn.example/jmap/masked-addresses"];
      const { list } = await one<GetResult>(ann.client, "MaskedAddress/get", { ids: null }, using);
      return list.map(({ label, state }) => `${label} ${state}`);
    };
    await page.getByLabel("For").fill("Shoe shop");
    await page.getByRole("button", { name: "New masked address" }).click();
    await page.getByText("Shoe shop").waitFor();
    expect(await masked()).toEqual(["Shoe shop enabled"]);
    await expectNoFaults(page);
    await page.getByLabel("Receives mail: Shoe shop").uncheck();
    await expect.poll(masked).toEqual(["Shoe shop disabled"]);
    await page.getByRole("button", { name: "Delete: Shoe shop" }).click();
    await page.locator("dialog.ask").getByText("is refused from then on").waitFor();
    await page.locator("dialog.ask").getByRole("button", { name: "Delete" }).click();
    await page.getByText("Shoe shop").waitFor({ state: "detached" });
    expect(await masked()).toEqual([]);
  });

  test("an app password is shown once, opens the account for a program, and ends alone", async () => {
    const page = await at("security");
    await page.getByLabel("For").fill("My phone");
    await page.getByRole("button", { name: "New app password" }).click();
    const secret = (await page.locator(".settings-secret code").textContent())!;
    expect(secret).toMatch(/^([a-z0-9]{6}-){4}[a-z0-9]{6}$/);
    await expectNoFaults(page);
    const phone = await connect({ url: world.url, user: ann.address, password: secret });
    expect(phone.accountId).toBe(ann.client.accountId);
    await page.getByRole("button", { name: "Done" }).click();
    await page.reload();
    await page.getByText("My phone").waitFor();
    expect(await page.content()).not.toContain(secret);
    await page.getByRole("button", { name: "Delete: My phone" }).click();
    await page.locator("dialog.ask").getByRole("button", { name: "Delete" }).click();
    await said(page, "Saved");
    await expect(connect({ url: world.url, user: ann.address, password: secret })).rejects.toThrow();
  });

  test("a sign-in elsewhere is listed, and ended at once", async () => {
    const other = await world.signIn(ann);
    const page = await at("security");
    await page.getByText("This browser").waitFor();
    await page.getByRole("button", { name: /^End ?: Chrome/ }).click();
    await said(page, "Signed out there");
    await other.getByText("You were signed out.").waitFor();
    await page.getByText("This browser").waitFor();
    expect(await page.getByRole("button", { name: /^End/ }).count()).toBe(0);
  });

  test("the password is changed with the old one, and other browsers are signed out", async () => {
    const other = await world.signIn(ann);
    const page = await at("security");
    const change = async (current: string, next: string) => {
      await page.getByLabel("Current password").fill(current);
      await page.getByLabel("New password").fill(next);
      await page.getByRole("button", { name: "Change password" }).click();
    };
    await change("wrong", "a new password");
    await page.getByText("The current password is wrong.").waitFor();
    await change(password, "short");
    await page.getByText("The new password has less than 8 characters.").waitFor();
    await change(password, "a new password");
    await said(page, "The password is changed.");
    await other.getByText("You were signed out.").waitFor();
    await page.reload();
    await page.getByText("This browser").waitFor();
    const again = await connect({ url: world.url, user: ann.address, password: "a new password" });
    expect(again.accountId).toBe(ann.client.accountId);
  });

  test("how much room is used shows; on a phone nothing scrolls sideways", async () => {
    const id = decodeId(idPrefix.account, ann.client.accountId)!;
    await world.store.write(id, "server", (tx) => setQuota(tx, 20_000_000_000));
    const page = await at("security", { viewport: { width: 375, height: 700 }, colorScheme: "dark" });
    await page.getByText(/of 20 GB used/).waitFor();
    // The strip of the sections shows which it is.
    const open = page.getByRole("navigation", { name: "Settings" }).locator("[aria-current]");
    await expect
      .poll(async () => ((await open.boundingBox()) ?? { x: 999, width: 0 }).x)
      .toBeLessThan(375 - ((await open.boundingBox())?.width ?? 375) + 1);
    await page.getByText("This browser").waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(375);
    await expectNoFaults(page);
  });
});
