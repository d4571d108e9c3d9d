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
    page.on("response", (response) => paths.push(new URL(response.url()).pathname));
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
    // What follows asks what changed meanwhile, and fetches the other parts of the page.
    const before = await page.evaluate(() => {
      const { shownAt } = window as unknown as { shownAt: number };
      const all = performance.getEntriesByType("resource") as PerformanceResourceTiming[];
      const asked = all.filter(({ startTime }) => startTime < shownAt);
      const bytes = (ending: string) =>
        asked
          .filter(({ name }) => name.endsWith(ending))
          .reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0);
      return {
        js: bytes(".js"),
        css: bytes(".css"),
        requests: asked.filter(({ name }) => name.endsWith("/jmap/api")).length,
      };
    });
    console.log(`first screen: ${before.js} octets of scripts, ${before.css} of styles`);
    expect(before.js).toBeGreaterThan(20_000);
    expect(before.js).toBeLessThanOrEqual(budgets.firstScriptBytes);
    expect(before.css).toBeLessThanOrEqual(budgets.firstStyleBytes);
    expect(before.requests).toBe(budgets.apiRequests);
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
