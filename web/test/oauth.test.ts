import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import * as oauth from "openid-client";
import type { BrowserContextOptions, Page } from "playwright-core";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { addOauthClient } from "../../src/admin/oauth-clients.ts";
import { afterwards } from "../../test/support/afterwards.ts";
import { mailScope } from "../../test/support/oauth.ts";
import { whyNoBrowser } from "./browser.ts";
import { allSizes, look, sizes } from "./look.ts";
import { createWorld, enter, password, type User, type World } from "./world.ts";

/** A program on the same device: it listens at a port of its own, and has pages that are not ours. */
async function listen(pages: Record<string, string>) {
  const answers: URL[] = [];
  const server = createServer((req: IncomingMessage, res) => {
    const url = new URL(req.url!, `http://127.0.0.1:${port}`);
    if (url.pathname === "/callback") answers.push(url);
    res.setHeader("Content-Type", "text/html");
    res.end(pages[url.pathname] ?? "<title>Program</title>You can close this page.");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  afterwards(async () => void server.close());
  return { port, answers, pages };
}

describe.skipIf(whyNoBrowser)("a program asks for access", () => {
  let world: World;
  let ann: User;
  let program: Awaited<ReturnType<typeof listen>>;
  let config: oauth.Configuration;
  const options = { algorithm: "oauth2" as const, execute: [oauth.allowInsecureRequests] };
  beforeAll(async () => {
    world = await createWorld();
    ann = await world.addUser("ann");
    await ann.put({ subject: "Lunch?" });
    program = await listen({});
    const metadata = { redirect_uris: ["http://127.0.0.1/callback"], client_name: "Ltt.rs", scope: mailScope };
    const said = { ...metadata, client_uri: "https://ltt.rs/", token_endpoint_auth_method: "none" };
    config = await oauth.dynamicClientRegistration(new URL(world.url), said, oauth.None(), options);
  });

  /** As openid-client, which knows nothing of us, asks. */
  async function begin(more: Record<string, string> = {}) {
    const verifier = oauth.randomPKCECodeVerifier();
    const state = oauth.randomState();
    const url = oauth.buildAuthorizationUrl(config, {
      redirect_uri: `http://127.0.0.1:${program.port}/callback`,
      scope: mailScope,
      state,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
      resource: `${world.url}/jmap/session`,
      ...more,
    });
    return { url: url.href, checks: { pkceCodeVerifier: verifier, expectedState: state } };
  }

  const contexts: { close(): Promise<void> }[] = [];
  afterEach(async () => {
    await Promise.all(contexts.splice(0).map((context) => context.close()));
  });
  /** A browser that may go to the program as well. Returns the hosts that it asked for anything. */
  async function open(more: BrowserContextOptions = {}): Promise<{ page: Page; hosts: Set<string>; asked: string[] }> {
    const context = await world.browser.newContext({ locale: "en-GB", ...more });
    contexts.push(context);
    const hosts = new Set<string>();
    const asked: string[] = [];
    context.on("request", (request) => {
      hosts.add(new URL(request.url()).host);
      asked.push(request.url());
    });
    const page = await context.newPage();
    page.setDefaultTimeout(10_000);
    return { page, hosts, asked };
  }
  async function signIn(page: Page) {
    await page.getByLabel("Email address").fill(ann.address);
    await page.getByLabel("Password", { exact: true }).fill(password);
    await page.getByRole("button", { name: "Sign in" }).click();
  }
  const allow = (page: Page) => page.getByRole("button", { name: "Allow", exact: true });
  async function answer(): Promise<URL> {
    await expect.poll(() => program.answers.length, { timeout: 10_000 }).toBeGreaterThan(0);
    return program.answers.shift()!;
  }

  test("from the registration to mail, renewal and the end in the settings, with a library of others", async () => {
    const { url, checks } = await begin();
    const { page, hosts, asked } = await open();
    await page.goto(url);
    await signIn(page);
    await page.getByText("Ltt.rs", { exact: true }).waitFor();
    await page.getByText("nobody has checked it").waitFor();
    await page.getByText("It says that it is from ltt.rs.").waitFor();
    await page.getByText(`You are signed in as ${ann.address}.`).waitFor();
    await allow(page).click();
    const tokens = await oauth.authorizationCodeGrant(config, await answer(), checks);
    expect(hosts).toEqual(new Set([new URL(world.url).host, `127.0.0.1:${program.port}`]));
    expect(asked.filter((one) => one.includes(password) || one.includes("posthorn_r"))).toEqual([]);
    const session = async (token: string) =>
      (await oauth.fetchProtectedResource(config, token, new URL(`${world.url}/jmap/session`), "GET")).json();
    expect(await session(tokens.access_token)).toMatchObject({ username: ann.address });
    const renewed = await oauth.refreshTokenGrant(config, tokens.refresh_token!);
    expect(await session(renewed.access_token)).toMatchObject({ username: ann.address });
    await page.goto(`${world.url}/#/settings/security`);
    const row = page.getByRole("listitem").filter({ hasText: "Ltt.rs" });
    await row.getByText("Program that you allowed").waitFor();
    await row.getByRole("button", { name: "End" }).click();
    await row.waitFor({ state: "detached" });
    await expect(session(renewed.access_token)).rejects.toThrow();
    await expect(oauth.refreshTokenGrant(config, renewed.refresh_token!)).rejects.toMatchObject({
      error: "invalid_grant",
    });
  });

  test("whoever is signed in is asked at once, though the cookie does not come with a click on another site", async () => {
    const { url, checks } = await begin();
    program.pages["/start"] = `<title>Program</title><a href="${url.replaceAll("&", "&amp;")}">Connect</a>`;
    const { page } = await open();
    await page.goto(world.url);
    await signIn(page);
    await page.getByRole("heading", { name: "Inbox" }).waitFor();
    await page.goto(`http://localhost:${program.port}/start`);
    await page.getByRole("link", { name: "Connect" }).click();
    await allow(page).click();
    await oauth.authorizationCodeGrant(config, await answer(), checks);
  });

  test("no is an answer too, which the program understands", async () => {
    const { url, checks } = await begin();
    const { page } = await open();
    await page.goto(url);
    await signIn(page);
    await page.getByRole("button", { name: "Do not allow" }).click();
    const refused = oauth.authorizationCodeGrant(config, await answer(), checks);
    await expect(refused).rejects.toMatchObject({ error: "access_denied" });
  });

  test("another account can be used", async () => {
    const { url } = await begin();
    const { page } = await open();
    await page.goto(url);
    await signIn(page);
    await page.getByRole("button", { name: "Use another account" }).click();
    await page.getByLabel("Password", { exact: true }).waitFor();
    await signIn(page);
    await allow(page).waitFor();
  });

  test("an answer of another server is not taken for ours (mix-up)", async () => {
    const { url, checks } = await begin();
    const { page } = await open();
    await page.goto(url);
    await signIn(page);
    await allow(page).click();
    const mixed = await answer();
    mixed.searchParams.set("iss", "https://evil.test");
    const refusal = await oauth.authorizationCodeGrant(config, mixed, checks).catch((error: Error) => error);
    expect(String((refusal as Error).cause)).toContain('"iss"');
  });

  test("a program that is not known, or wants its answer elsewhere, leads nowhere", async () => {
    for (const more of [{ client_id: "nobody" }, { redirect_uri: "https://evil.test/" }]) {
      const { url } = await begin(more);
      const { page, hosts } = await open();
      await page.goto(url);
      await signIn(page);
      await page.getByRole("heading", { name: "This request cannot be answered" }).waitFor();
      expect(await allow(page).count()).toBe(0);
      expect(hosts).toEqual(new Set([new URL(world.url).host]));
    }
  });

  test("no page of others can show the question in a frame (clickjacking)", async () => {
    const { url } = await begin();
    const { headers } = await fetch(url);
    expect(headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
    expect(headers.get("x-frame-options")).toBe("DENY");
    expect(headers.get("referrer-policy")).toBe("no-referrer");
    program.pages["/frame"] = `<iframe src="${url.replaceAll("&", "&amp;")}" width="600" height="600"></iframe>`;
    const { page } = await open();
    await page.goto(`http://127.0.0.1:${program.port}/frame`);
    await page.waitForTimeout(300);
    const frame = page.frames().find((one) => one !== page.mainFrame());
    expect(await frame?.locator("body").innerText()).not.toContain("Posthorn");
    expect(frame?.url()).toMatch(/^chrome-error:/);
  });

  test("a program of the operator's is shown by its name, without the warning", async () => {
    const callback = `http://127.0.0.1:${program.port}/callback`;
    const { id } = await addOauthClient(world.admin, { name: "Team webmail", redirectUris: [callback] });
    const { url } = await begin({ client_id: id });
    const { page } = await open();
    await page.goto(url);
    await signIn(page);
    await page.getByText("Team webmail").waitFor();
    expect(await page.getByText("nobody has checked it").count()).toBe(0);
    await page.getByText(`back to 127.0.0.1:${program.port}`).waitFor();
  });

  test("a name that is code is text, and one from right to left turns nothing around", async () => {
    const said = { redirect_uris: ["com.example.app:/"], client_name: '<img src=x onerror=alert(1)> "مرحبا"' };
    const odd = await oauth.dynamicClientRegistration(new URL(world.url), said, oauth.None(), options);
    const { url } = await begin({ client_id: odd.clientMetadata().client_id, redirect_uri: "com.example.app:/" });
    const { page } = await open();
    page.on("dialog", () => expect.unreachable());
    await page.goto(url);
    await signIn(page);
    await page.getByText("<img src=x").waitFor();
  });

  test.each(allSizes)("%s, light and dark: axe finds nothing", async (size) => {
    const { url } = await begin();
    const { page } = await open({ ...sizes[size], locale: size === "tablet" ? "de-DE" : "en-GB" });
    await enter(page.context(), world.url, ann.address);
    await page.goto(url);
    await page.getByText("Ltt.rs", { exact: true }).waitFor();
    await look(page, `${size}-consent`);
    const isWider = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
    expect(isWider).toBe(false);
  });
});
