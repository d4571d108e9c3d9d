import { beforeAll, describe, expect, test } from "vitest";
import { isNightly } from "../../test/support/scale.ts";
import { whyNoBrowser } from "./browser.ts";
import { createWorld, type User, type World } from "./world.ts";

/** Of web/README.md. Times are measured by night; elsewhere three times as much may pass. */
const budgets = {
  firstScriptBytes: 60_000,
  firstStyleBytes: 12_000,
  apiRequests: 1,
  rows: 80,
  shownMs: 500,
  arrivedMs: 500,
};
const patience = isNightly ? 1 : 3;

describe.skipIf(whyNoBrowser)("the first screen keeps its budgets", () => {
  let world: World;
  let user: User;
  beforeAll(async () => {
    world = await createWorld();
    user = await world.addUser("ann");
    for (let n = 0; n < 60; n++)
      await user.put({ subject: `Mail ${n}`, receivedAt: new Date(Date.now() - n * 60_000) });
  });

  test("in bytes, requests and rows", async () => {
    const page = await world.signIn(user);
    await page.locator(".row-link").first().waitFor();
    const paths: string[] = [];
    const sizes: Record<string, number> = {};
    page.on("response", async (response) => {
      const { pathname } = new URL(response.url());
      paths.push(pathname);
      const kind = /\.(js|css)$/.exec(pathname)?.[1];
      if (!kind) return;
      const { responseBodySize } = await response.request().sizes();
      sizes[kind] = (sizes[kind] ?? 0) + responseBodySize;
    });
    const cdp = await page.context().newCDPSession(page);
    await cdp.send("Network.setCacheDisabled", { cacheDisabled: true });
    await page.addInitScript(() => {
      const observer = new MutationObserver(() => {
        if (!document.querySelector(".row-link")) return;
        observer.disconnect();
        Object.assign(window, { shownAt: performance.now() });
      });
      observer.observe(document, { childList: true, subtree: true });
    });
    await page.reload({ waitUntil: "networkidle" });
    await page.locator(".row-link").first().waitFor();
    // One follows, which asks what changed meanwhile.
    const before = await page.evaluate(() => {
      const { shownAt } = window as unknown as { shownAt: number };
      const asked = performance.getEntriesByType("resource").filter(({ startTime }) => startTime < shownAt);
      return asked.filter(({ name }) => name.endsWith("/jmap/api")).length;
    });
    expect(sizes.js).toBeLessThanOrEqual(budgets.firstScriptBytes);
    expect(sizes.css).toBeLessThanOrEqual(budgets.firstStyleBytes);
    expect(before).toBe(budgets.apiRequests);
    expect(paths.filter((path) => path === "/jmap/session").length).toBe(1);
    expect(await page.locator(".row").count()).toBeLessThanOrEqual(budgets.rows);
  });

  test("in time: the inbox is shown, and mail that was accepted is in it", async () => {
    const page = await world.signIn(user);
    const median = (times: number[]) => times.toSorted((one, other) => one - other)[Math.floor(times.length / 2)]!;
    const shown: number[] = [];
    for (let round = 0; round < 5; round++) {
      const begunAt = performance.now();
      await page.reload({ waitUntil: "commit" });
      await page.locator(".row-link").first().waitFor();
      shown.push(performance.now() - begunAt);
    }
    const arrived: number[] = [];
    for (let round = 0; round < 5; round++) {
      await world.send(user, { subject: `Fresh ${round}.` });
      const begunAt = performance.now();
      await page.locator(".row-subject").getByText(`Fresh ${round}.`).waitFor();
      arrived.push(performance.now() - begunAt);
    }
    console.log(`inbox shown: ${Math.round(median(shown))} ms; mail shown: ${Math.round(median(arrived))} ms`);
    expect(median(shown)).toBeLessThan(budgets.shownMs * patience);
    expect(median(arrived)).toBeLessThan(budgets.arrivedMs * patience);
  });
});
