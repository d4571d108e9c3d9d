import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const known = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/usr/bin/google-chrome-stable",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];
const named = process.env.POSTHORN_TEST_BROWSER;
const path = named ?? known.find((one) => existsSync(one));

/** Why nothing can be tried in a browser here; undefined if it can. */
export const whyNoBrowser =
  path === undefined ? "no Chromium is installed; POSTHORN_TEST_BROWSER may name one" : undefined;
if (whyNoBrowser) process.stderr.write(`\nLEFT OUT of the tests: THE INBOX IN A BROWSER: ${whyNoBrowser}\n`);

/** A name that leads here and is no secure context. */
export const plainHost = "mail.plain.test";

/** Without it, Chromium would ask for updates and more at every start. */
const quiet = [
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-quic",
];

/** `hosts`: where further names lead. */
export function launchBrowser(hosts: Record<string, string> = {}): Promise<Browser> {
  const rules = Object.entries({ [plainHost]: "127.0.0.1", ...hosts }).map(([name, to]) => `MAP ${name} ${to}`);
  const args = ["--no-sandbox", "--disable-gpu", `--host-resolver-rules=${rules.join(",")}`, ...quiet];
  return chromium.launch({ ...(path !== undefined && { executablePath: path }), args });
}
