import type { Page } from "playwright-core";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { one } from "../../conformance/client/client.ts";
import type { GetResult } from "../../conformance/client/types.ts";
import { whyNoBrowser } from "./browser.ts";
import { createWorld, type User, type World } from "./world.ts";

describe.skipIf(whyNoBrowser)("a lost connection", () => {
  let world: World;
  let user: User;
  let users = 0;
  beforeAll(async () => {
    world = await createWorld();
  });
  beforeEach(async () => {
    user = await world.addUser(`user${++users}`);
    await user.put({ subject: "Two", keywords: ["$seen"], receivedAt: new Date(Date.now() - 7_200_000) });
    await user.put({ subject: "One", keywords: ["$seen"], receivedAt: new Date(Date.now() - 3_600_000) });
  });

  const row = (page: Page, text: string) => page.locator(".list-pane .row").filter({ hasText: text });
  const star = (page: Page, text: string) => row(page, text).getByRole("button", { name: "Add star" }).click();
  const bar = (page: Page) => page.locator(".offline-bar");
  const starred = async () => {
    const { ids } = await one<{ ids: string[] }>(user.client, "Email/query", { filter: { hasKeyword: "$flagged" } });
    const { list } = await one<GetResult>(user.client, "Email/get", { ids, properties: ["subject"] });
    return list.map(({ subject }) => subject).sort();
  };

  test("a bar says so; what is done shows, waits, and is sent when the line is back", async () => {
    const page = await world.signIn(user);
    await row(page, "One").waitFor();
    await page.context().setOffline(true);
    await bar(page).getByText("You are offline.").waitFor();
    await star(page, "One");
    await row(page, "One").getByRole("button", { name: "Remove star" }).waitFor();
    await bar(page).getByText("One change waits").waitFor();
    await row(page, "Two").locator(".row-link").focus();
    await page.keyboard.press("e");
    await row(page, "Two").waitFor({ state: "detached" });
    await bar(page).getByText("2 changes wait").waitFor();
    // Taken back before it was ever sent.
    await page.keyboard.press("z");
    await row(page, "Two").waitFor();
    expect(await starred()).toEqual([]);
    await world.send(user, { subject: "Meanwhile" });
    await page.context().setOffline(false);
    await row(page, "Meanwhile").waitFor();
    await bar(page).waitFor({ state: "hidden" });
    await expect.poll(starred, { timeout: 10_000 }).toEqual(["One"]);
    await row(page, "Two").waitFor();
  });

  test("the server goes and comes back: the page finds it, and catches up by changes alone", async () => {
    const page = await world.signIn(user);
    await row(page, "One").waitFor();
    const asked: string[] = [];
    page.on("request", (request) => asked.push(request.postData() ?? ""));
    await world.stop();
    await star(page, "Two");
    await bar(page).getByText("1 change waits").or(bar(page).getByText("One change waits")).waitFor();
    await world.start();
    await world.send(user, { subject: "Meanwhile" });
    // The page tries by itself, too, and may be first.
    const found = row(page, "Meanwhile").waitFor();
    await Promise.race([found, page.getByRole("button", { name: "Try now" }).click()]);
    await found;
    await expect.poll(starred, { timeout: 10_000 }).toEqual(["Two"]);
    expect(asked.filter((body) => body.includes('"Email/query"'))).toEqual([]);
  });

  test("what waits is kept over a reload", async () => {
    const page = await world.signIn(user);
    await row(page, "One").waitFor();
    await page.route("**/jmap/api", (route) => route.abort());
    await star(page, "One");
    await row(page, "One").getByRole("button", { name: "Remove star" }).waitFor();
    await page.unroute("**/jmap/api");
    await page.reload();
    await row(page, "One").getByRole("button", { name: "Remove star" }).waitFor();
    await expect.poll(starred, { timeout: 10_000 }).toEqual(["One"]);
  });

  test("a request that came too often waits and goes again", async () => {
    const page = await world.signIn(user);
    await row(page, "One").waitFor();
    let refused = 0;
    await page.route("**/jmap/api", (route) => {
      if (refused++ < 2) return route.fulfill({ status: 429, headers: { "Retry-After": "0" } });
      return route.continue();
    });
    await star(page, "One");
    await expect.poll(starred, { timeout: 10_000 }).toEqual(["One"]);
    expect(refused).toBeGreaterThanOrEqual(3);
    expect(await bar(page).isVisible()).toBe(false);
  });

  test("where WebSockets are blocked on the way, mail still comes by itself", async () => {
    const page = await world.open();
    await page.routeWebSocket("**/jmap/ws", (socket) => void socket.close({ code: 1011 }));
    const signedIn = await world.signIn(user);
    await page.context().addCookies(await signedIn.context().cookies());
    await signedIn.close();
    await page.addInitScript(() => {
      // As behind a proxy that lets none through.
      Object.assign(window, {
        WebSocket: class extends EventTarget {
          onclose: ((event: { code: number }) => void) | undefined;
          constructor() {
            super();
            setTimeout(() => this.onclose?.({ code: 1006 }), 10);
          }
          close() {}
          send() {}
        },
      });
    });
    await page.goto(world.url);
    await row(page, "One").waitFor();
    await page.waitForRequest("**/jmap/eventsource/**");
    await world.send(user, { subject: "By the event source" });
    await row(page, "By the event source").waitFor();
  });
});
