import { mkdirSync } from "node:fs";
import { join } from "node:path";
import axe from "axe-core";
import type { Page } from "playwright-core";
import { expect } from "vitest";

export const sizes = {
  desktop: { viewport: { width: 1280, height: 800 } },
  tablet: { viewport: { width: 768, height: 1024 } },
  phone: { viewport: { width: 375, height: 740 }, hasTouch: true, isMobile: true },
};
export const allSizes = Object.keys(sizes) as (keyof typeof sizes)[];
/** What a theme changes; all else that axe asks is the same in both. */
const rulesOfColour = ["color-contrast", "link-in-text-block"];
/** Where pictures of the screens go, to be looked at; none are made without it. */
const folder = process.env.POSTHORN_SCREENSHOTS;

/** What fades or slides in has its colours and its place only when it is there. */
export async function settled(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const ending = document.getAnimations().filter(({ effect }) => effect?.getComputedTiming().endTime !== Infinity);
    await Promise.allSettled(ending.map(({ finished }) => finished));
  });
}

/** axe finds nothing, in either theme; pictures are taken if somebody wants them. Leaves the page as it is by day. */
export async function look(page: Page, name: string): Promise<void> {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axe.source);
  for (const theme of ["dark", "light"] as const) {
    await page.emulateMedia({ colorScheme: theme });
    await settled(page);
    if (folder !== undefined) {
      mkdirSync(folder, { recursive: true });
      await page.screenshot({ path: join(folder, `${name}-${theme}.png`) });
    }
    const rules = theme === "dark" ? { runOnly: rulesOfColour } : {};
    expect(await faultsOf(page, rules), `${name}, ${theme}`).toEqual([]);
  }
}

async function faultsOf(page: Page, rules: axe.RunOptions): Promise<string[]> {
  return page.evaluate(async (more) => {
    const { violations } = await (window as unknown as { axe: typeof axe }).axe.run(document, {
      resultTypes: ["violations"],
      // What is inside the frames is what somebody wrote.
      iframes: false,
      ...more,
    });
    return violations.map(
      ({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join("; ")}`,
    );
  }, rules);
}
