import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { invite } from "../../src/admin/invites.ts";
import { requireSecondFactor } from "../../src/admin/second-factors.ts";
import { afterwards } from "../../test/support/afterwards.ts";
import { createIdentityProvider } from "../../test/support/identity-provider.ts";
import { expectNoFaults } from "./axe.ts";
import { whyNoBrowser } from "./browser.ts";
import { appCode, createWorld, password, type User, type World } from "./world.ts";

describe.skipIf(whyNoBrowser)("second factors and new accounts", () => {
  let world: World;
  let ann: User;
  let count = 0;
  let provider: Awaited<ReturnType<typeof createIdentityProvider>>;
  beforeAll(async () => {
    provider = await createIdentityProvider({ id: "posthorn", secret: "the secret" });
    const folder = mkdtempSync(join(tmpdir(), "posthorn-oidc-"));
    afterwards(async () => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, "secret"), "the secret\n");
    const flags = {
      "oidc-issuer": provider.issuer,
      "oidc-client-id": "posthorn",
      "oidc-client-secret-file": join(folder, "secret"),
    };
    world = await createWorld({ flags, otherPort: () => Number(new URL(provider.issuer).port) });
  });
  beforeEach(async () => {
    ann = await world.addUser(`ann${++count}`);
  });

  const inbox = (page: Page) => page.getByRole("heading", { name: "Inbox" }).waitFor();
  const fill = async (page: Page, address: string, secret = password) => {
    await page.getByLabel("Email address").fill(address);
    await page.getByLabel("Password", { exact: true }).fill(secret);
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
  };
  /** In the settings, the password is asked for again. */
  const confirm = async (page: Page, name: string) => {
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Password").fill(password);
    await dialog.getByRole("button", { name }).click();
  };
  const codesIn = (page: Page) => page.locator(".factor-codes code").allTextContents();

  test("an authenticator app is added by a QR code, asked for when signing in, and a recovery code stands in for it", async () => {
    const page = await world.signIn(ann, { at: "#/settings/security" });
    await page.getByRole("button", { name: "Add an authenticator app" }).click();
    await expectNoFaults(page);
    await page.getByRole("dialog").getByLabel("Password").fill("wrong password");
    await page.getByRole("dialog").getByRole("button", { name: "Continue" }).click();
    await page.getByText("The password is wrong.").waitFor();
    await confirm(page, "Continue");
    await page.getByRole("img", { name: "QR code" }).waitFor();
    const key = (await page.locator(".factor-key code").textContent())!;
    await page.getByLabel("Code from your authenticator app").fill("000000");
    await page.getByRole("button", { name: "Turn on" }).click();
    await page.getByText("That is not the code").waitFor();
    await expectNoFaults(page);
    await page.getByLabel("Code from your authenticator app").fill(appCode(key));
    await page.getByRole("button", { name: "Turn on" }).click();
    await page.getByText("Your recovery codes").waitFor();
    const codes = await codesIn(page);
    expect(codes).toHaveLength(10);
    await expectNoFaults(page);
    await page.getByRole("button", { name: "I have kept them" }).click();
    await page.getByText("10 recovery codes are left.").waitFor();
    await page.getByText("Mail programs need an app password").waitFor();

    const other = await world.open();
    await other.goto(world.url);
    await fill(other, ann.address);
    await other.getByText("Show that it is you").waitFor();
    await expectNoFaults(other);
    const field = other.getByLabel("Code from your authenticator app");
    await field.fill("123456");
    await other.getByRole("button", { name: "Continue" }).click();
    await other.getByRole("alert").getByText("That is not right").waitFor();
    await field.fill(appCode(key, 1));
    await other.getByRole("button", { name: "Continue" }).click();
    await inbox(other);

    const third = await world.open({ locale: "de-DE" });
    await third.goto(world.url);
    await third.getByLabel("E-Mail-Adresse").fill(ann.address);
    await third.getByLabel("Passwort", { exact: true }).fill(password);
    await third.getByRole("button", { name: "Anmelden", exact: true }).click();
    await third.getByRole("button", { name: "Wiederherstellungscode verwenden" }).click();
    await third.getByLabel("Wiederherstellungscode").fill(codes[0]!);
    await third.getByRole("button", { name: "Weiter" }).click();
    await third.getByRole("heading", { name: "Posteingang" }).waitFor();

    await page.getByRole("button", { name: "Remove : Authenticator app" }).click();
    await confirm(page, "Remove");
    await page.getByText("None yet.").waitFor();
  });

  test("a passkey is made with the authenticator of the browser, and signs in alone or after the password", async () => {
    const page = await world.open();
    const cdp = await page.context().newCDPSession(page);
    await cdp.send("WebAuthn.enable");
    const options = {
      protocol: "ctap2" as const,
      transport: "internal" as const,
      ...{ hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
    };
    const { authenticatorId } = await cdp.send("WebAuthn.addVirtualAuthenticator", { options });
    // Browsers have no passkeys for a bare address.
    const site = world.url.replace("127.0.0.1", "localhost");
    await page.goto(site);
    await fill(page, ann.address);
    await inbox(page);
    await page.goto(`${site}/#/settings/security`);
    await page.getByRole("button", { name: "Add a passkey" }).click();
    await page.getByRole("dialog").getByLabel("Name").fill("Laptop");
    await confirm(page, "Continue");
    await page.getByText("Your recovery codes").waitFor();
    await page.getByText("Laptop", { exact: true }).waitFor();
    await expectNoFaults(page);
    const { credentials } = await cdp.send("WebAuthn.getCredentials", { authenticatorId });
    expect(credentials).toMatchObject([{ isResidentCredential: true, rpId: "localhost" }]);

    await page.goto(`${site}/#/inbox`);
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("button", { name: "Sign in with a passkey" }).click();
    await inbox(page);
    await page.getByRole("button", { name: "Sign out" }).click();
    await fill(page, ann.address);
    await page.getByRole("button", { name: "Use a passkey" }).click();
    await inbox(page);
    await page.getByRole("button", { name: "Sign out" }).click();
    await cdp.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: false });
    await page.getByRole("button", { name: "Sign in with a passkey" }).click();
    await page.getByText("That did not work.").waitFor();
  });

  test("where the domain requires a second factor, it is set up while signing in", async () => {
    await requireSecondFactor(world.admin, "here.test", true);
    try {
      const page = await world.open();
      await page.goto(world.url);
      await fill(page, ann.address);
      await page.getByText("Your account needs a second factor").waitFor();
      await expectNoFaults(page);
      await page.getByRole("button", { name: "Authenticator app" }).click();
      const key = (await page.locator(".factor-key code").textContent())!;
      await page.getByLabel("Code from your authenticator app").fill(appCode(key));
      await page.getByRole("button", { name: "Turn on" }).click();
      await page.getByRole("button", { name: "I have kept them" }).click();
      await inbox(page);
    } finally {
      await requireSecondFactor(world.admin, "here.test", false);
    }
  });

  test("signing in at the identity provider: the second factor of here is asked for, and who stays is still signed in", async () => {
    provider.user = { sub: "1", email: ann.address, email_verified: true };
    const page = await world.open();
    await page.goto(world.url);
    const leave = page.getByRole("link", { name: /^Sign in with 127/ });
    await leave.click();
    await inbox(page);
    await page.goto(`${world.url}/#/settings/security`);
    await page.getByRole("button", { name: "Add an authenticator app" }).click();
    await confirm(page, "Continue");
    const key = (await page.locator(".factor-key code").textContent())!;
    await page.getByLabel("Code from your authenticator app").fill(appCode(key));
    await page.getByRole("button", { name: "Turn on" }).click();
    await page.getByRole("button", { name: "I have kept them" }).click();
    await page.goto(`${world.url}/#/inbox`);
    await page.getByRole("button", { name: "Sign out" }).click();

    await page.getByLabel("Stay signed in").check();
    await leave.click();
    await page.getByText("Show that it is you").waitFor();
    await expectNoFaults(page);
    // A reload loses the step, not the way back to it.
    await page.reload();
    await page.getByRole("button", { name: "Sign in", exact: true }).waitFor();
    await page.getByLabel("Stay signed in").check();
    await leave.click();
    await page.getByLabel("Code from your authenticator app").fill(appCode(key, 1));
    await page.getByRole("button", { name: "Continue" }).click();
    await inbox(page);
    const kept = (await page.context().cookies()).find(({ name }) => name === "posthorn")!;
    expect(kept.expires - Date.now() / 1_000).toBeGreaterThan(29 * 86_400);
    expect(page.url()).not.toMatch(/code=|ticket|state=/);

    // What goes wrong on the way back is said as what it is.
    const faults: [number, RegExp][] = [
      [503, /server cannot be reached/],
      [429, /Too many attempts. Wait 30 seconds/],
      [403, /identity provider did not work/],
    ];
    for (const [status, words] of faults) {
      const back = await world.open();
      await back.route("**/auth/oidc/step", (route) =>
        route.fulfill({ status, headers: { "Retry-After": "30" }, json: {} }),
      );
      await back.goto(world.url);
      await back.getByRole("link", { name: /^Sign in with 127/ }).click();
      await back.getByText(words).waitFor();
    }

    provider.user = { sub: "2", email: "nobody@here.test", email_verified: true };
    const stranger = await world.open({ locale: "de-DE" });
    await stranger.goto(world.url);
    await stranger.getByRole("link", { name: /^Mit 127/ }).click();
    await stranger.getByRole("alert").getByText(/Konto/).waitFor();
    await expectNoFaults(stranger);
  });

  test("a guest makes an account by the link of an invitation, whose token no request names", async () => {
    const { token } = await invite(world.admin, { domain: "here.test", days: 7 });
    const page = await world.open();
    const asked: string[] = [];
    page.on("request", (request) => asked.push(request.url(), JSON.stringify(request.headers())));
    await page.goto(`${world.url}/#/join/${token}`);
    await page.getByText("You are invited to have an address at here.test.").waitFor();
    await expectNoFaults(page);
    const create = async (name: string, secret: string) => {
      await page.getByLabel("Your address").fill(name);
      await page.getByLabel("Password", { exact: true }).fill(secret);
      await page.getByRole("button", { name: "Create the account" }).click();
    };
    await create(ann.address, password);
    await page.getByRole("alert").getByText("This address is taken.").waitFor();
    await create("postmaster", password);
    await page.getByRole("alert").getByText("This address is for those who run here.test.").waitFor();
    await create(`guest${count}`, "password1");
    await page.getByRole("alert").getByText("one of those that are tried first").waitFor();
    await expectNoFaults(page);
    await create(`guest${count}`, "a good long password");
    await inbox(page);
    expect(page.url()).not.toContain(token);
    expect(asked.filter((text) => text.includes(token) || text.includes("good long"))).toEqual([]);

    const late = await world.open({ viewport: { width: 375, height: 700 }, colorScheme: "dark" });
    await late.goto(`${world.url}/#/join/${token}`);
    await late.getByText("This invitation was used or taken back").waitFor();
    expect(await late.evaluate(() => document.documentElement.scrollWidth)).toBe(375);
    await expectNoFaults(late);
  });

  test("a forgotten password is set anew with a recovery code", async () => {
    const page = await world.signIn(ann, { at: "#/settings/security" });
    await page.getByRole("button", { name: "Add an authenticator app" }).click();
    await confirm(page, "Continue");
    const key = (await page.locator(".factor-key code").textContent())!;
    await page.getByLabel("Code from your authenticator app").fill(appCode(key));
    await page.getByRole("button", { name: "Turn on" }).click();
    await page.getByText("Your recovery codes").waitFor();
    const [code] = await codesIn(page);
    const other = await world.open();
    await other.goto(world.url);
    await other.getByRole("button", { name: "Forgot the password?" }).click();
    await expectNoFaults(other);
    const recover = async (recoveryCode: string) => {
      await other.getByLabel("Email address").first().fill(ann.address);
      await other.getByLabel("Recovery code").fill(recoveryCode);
      await other.getByLabel("New password").fill("another good password");
      await other.getByRole("button", { name: "Set the new password" }).click();
    };
    await recover("aaaa-bbbb-cccc-dddd");
    await other.getByText("The address or the recovery code is wrong.").waitFor();
    await recover(code!);
    await other.getByText("Your new password is set.").waitFor();
    await fill(other, ann.address, "another good password");
    await other.getByText("Show that it is you").waitFor();
    await page.getByText("You were signed out.").waitFor();
  });
});
