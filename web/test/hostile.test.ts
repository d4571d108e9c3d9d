import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { BrowserContext, Page } from "playwright-core";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { one } from "../../conformance/client/client.ts";
import type { GetResult } from "../../conformance/client/types.ts";
import { afterwards } from "../../test/support/afterwards.ts";
import { whyNoBrowser } from "./browser.ts";
import { honestMails } from "./mails/honest.ts";
import { type HostileMail, hostileMails, leakHost, leakPath } from "./mails/hostile.ts";
import { putRaw } from "./raw-mail.ts";
import { createWorld, enter, type User, type World } from "./world.ts";

/** Conversations of so many mails are opened at once. */
const batchSize = 25;
const batchOf = (number: number) => Math.floor((number - 1) / batchSize);
const mails = hostileMails((number) => `batch ${batchOf(number)}`);
const batches = [...Map.groupBy(mails, ({ number }) => batchOf(number)).values()];

const sandbox = ["allow-popups", "allow-popups-to-escape-sandbox", "allow-same-origin"];
const kept = new Set(
  "a abbr acronym address article aside b bdi bdo big blockquote br caption center cite code col colgroup dd del details dfn dir div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li main mark nav ol p pre q rp rt ruby s samp section small span strike strong sub summary sup table tbody td tfoot th thead time tr tt u ul var wbr".split(
    " ",
  ),
);
const dropped =
  /^(?:on.*|id|name|class|srcset|background|poster|ping|form.*|xlink.*|is|slot|part|data-(?!fold$|narrow$).*|aria-(?!label$).*|tabindex|autofocus|accesskey|contenteditable|cite|usemap|longdesc|lowsrc|dynsrc|attributionsrc|popover.*)$/;

test("there are 200 tricks at the least", () => {
  expect(mails.length).toBeGreaterThanOrEqual(200);
});

describe.skipIf(whyNoBrowser)("hostile mails in the real page", () => {
  let world: World;
  let ann: User;
  const threads: string[] = [];
  /** What reached the place where the mails want to call. */
  const calls: string[] = [];
  const contexts: BrowserContext[] = [];

  beforeAll(async () => {
    const listener = await listen((line) => calls.push(line));
    afterwards(() => void listener.close());
    const { port } = listener.address() as AddressInfo;
    world = await createWorld({ hosts: { [leakHost]: `127.0.0.1:${port}` } });
    ann = await world.addUser("ann");
    const ids = await putRaw(
      ann,
      mails.map(({ source }) => source),
    );
    for (const batch of batches) {
      threads.push(await threadOf(ann, ids[batch[0]!.number - 1]!));
    }
  });

  afterEach(async () => {
    await Promise.all(contexts.splice(0).map((context) => context.close()));
  });

  /** A page that keeps what was asked for, and says what happened that must not. */
  async function open(at: string) {
    const context = await world.browser.newContext({ viewport: { width: 1700, height: 900 } });
    contexts.push(context);
    const happened: string[] = [];
    const asked: string[] = [];
    const page = await context.newPage();
    page.on("dialog", (dialog) => {
      happened.push(`a dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on("download", (download) => happened.push(`a download of ${download.url()}`));
    page.on("pageerror", (error) => happened.push(String(error)));
    context.on("page", (other) => happened.push(`a window with ${other.url()}`));
    context.on("request", (request) => {
      const url = new URL(request.url());
      if (url.host.startsWith(leakHost) || url.pathname.startsWith(leakPath))
        asked.push(`${request.resourceType()} ${url}`);
    });
    // What left, even if the answer was 404.
    const left: string[] = [];
    context.on("response", (response) => {
      if (new URL(response.url()).pathname.startsWith(leakPath)) left.push(response.url());
    });
    await enter(context, world.url, ann.address);
    await page.goto(`${world.url}/${at}`);
    return { page, happened, asked, left };
  }

  /** Opens a conversation, all of whose mails are new and so open, and waits until each is shown. */
  async function openBatch(index: number) {
    const opened = await open(`#/inbox/${threads[index]}`);
    const batch = batches[index]!;
    // Those that were read are folded.
    const all = opened.page.getByRole("button", { name: /^(Open|Fold) all$/ });
    await all.waitFor();
    if ((await all.textContent()) === "Open all") await all.click();
    const frames = batch.filter(({ html }) => html !== undefined).length;
    await opened.page.waitForFunction(
      (count) =>
        document.querySelectorAll(".mail-frame:not(.is-loading)").length >= count &&
        !document.querySelector(".mail-frame.is-loading, .mail-body.is-waiting"),
      frames,
      { timeout: 25_000 },
    );
    return { ...opened, batch };
  }

  async function expectNothingRan(page: Page, happened: string[]) {
    const ran = await page.evaluate(() => {
      const views = [window, ...[...document.querySelectorAll("iframe")].flatMap((frame) => frame.contentWindow ?? [])];
      return views.flatMap((view) => {
        try {
          return (view as unknown as { ran?: number }).ran ?? [];
        } catch {
          // It went elsewhere: the policy of the page shows an error there.
          return [];
        }
      });
    });
    expect(ran).toEqual([]);
    expect(happened).toEqual([]);
  }

  /** The page is where it was, with all its parts, and nothing lies over them. */
  async function expectWhole(page: Page, index: number) {
    expect(page.url()).toBe(`${world.url}/#/inbox/${threads[index]}`);
    const state = await page.evaluate(() => {
      const isOnTop = (selector: string) => {
        const element = document.querySelector(selector)!;
        const { left, top, width, height } = element.getBoundingClientRect();
        return element.contains(document.elementFromPoint(left + width / 2, top + height / 2));
      };
      return {
        title: document.title,
        parts: [".reading-pane .toolbar button", ".list-head h1", ".top .search input"].map(isOnTop),
        children: document.body.children.length,
        width: document.documentElement.scrollWidth <= innerWidth,
        form: document.forms.length,
      };
    });
    expect(state).toMatchObject({ parts: [true, true, true], children: 2, width: true, form: 1 });
    expect(state.title).toContain("Inbox");
  }

  test.each(batches.map((batch, index) => [index, batch.length]))(
    "conversation %i of %i mails: nothing runs, loads or stays of the tricks, and without any cleaning the policy holds alone",
    async (index) => {
      const { page, happened, asked, left, batch } = await openBatch(index);
      const found = await page.evaluate(
        ([allowed, pattern]) => {
          const isDropped = new RegExp(pattern!);
          const names = new Set(allowed!.split(" "));
          const problems: string[] = [];
          for (const frame of document.querySelectorAll("iframe")) {
            if (new URL(frame.contentWindow!.location.href).pathname !== "/frame/blocked") problems.push("elsewhere");
            if (frame.getBoundingClientRect().height > 200_100) problems.push("too high");
            for (const element of frame.contentDocument!.querySelectorAll("body *")) {
              if (!names.has(element.localName) || element.namespaceURI !== "http://www.w3.org/1999/xhtml")
                problems.push(element.localName);
              for (const { name, value } of element.attributes) {
                if (isDropped.test(name)) problems.push(`${element.localName} ${name}`);
                if (name === "href" && !/^(?:https?|mailto|tel):/.test(value)) problems.push(`to ${value}`);
                if (name === "src" && !/^(?:data:image\/(?:png|jpeg|gif|webp)[;,]|blob:)/.test(value))
                  problems.push(`from ${value}`);
                if (name === "style" && /url|image-set|(?<!-)position|var\(|expression|\\/i.test(value))
                  problems.push(value);
              }
            }
          }
          return problems;
        },
        [[...kept].join(" "), dropped.source],
      );
      expect(found).toEqual([]);
      await expectNothingRan(page, happened);
      expect([asked, left, calls]).toEqual([[], [], []]);
      await expectWhole(page, index);
      await fillRaw(page, batch);
      await page.waitForTimeout(300);
      await expectNothingRan(page, happened);
      expect([left, calls]).toEqual([[], []]);
      await expectWhole(page, index);
    },
  );

  test("when pictures are shown, pictures are all that is fetched, and they say nothing of the reader", async () => {
    let fetched = 0;
    const loading = batches.filter((batch) => batch.some(({ name }) => /^(?:loads|styles)/.test(name)));
    for (const index of loading.map((batch) => batches.indexOf(batch))) {
      const { page, happened, asked, left, batch } = await openBatch(index);
      // Nobody has proved who sent these, so each is asked about.
      const show = page.getByRole("button", { name: /^Show (it|them)$/ });
      while ((await show.count()) > 0) await show.first().click();
      await page.waitForLoadState("networkidle");
      expect(asked.filter((one) => !one.startsWith("image "))).toEqual([]);
      expect(left).toEqual([]);
      expect(calls.splice(0).filter((line) => line !== "image no-referrer no-cookie")).toEqual([]);
      fetched += asked.length;
      await fillRaw(page, batch);
      await page.waitForTimeout(300);
      await expectNothingRan(page, happened);
      expect(calls.splice(0).filter((line) => !line.endsWith("no-cookie"))).toEqual([]);
      await page.context().close();
    }
    expect(fetched).toBeGreaterThan(0);
  });

  test("the frame's page and the element have the same sandbox, which runs no scripts", async () => {
    const { page } = await openBatch(0);
    expect(
      await page
        .locator("iframe")
        .first()
        .evaluate((frame: HTMLIFrameElement) => [...frame.sandbox].sort()),
    ).toEqual(sandbox);
    for (const kind of ["blocked", "remote"]) {
      const { headers } = await fetch(`${world.url}/frame/${kind}`);
      const policy = new Map(
        headers
          .get("Content-Security-Policy")!
          .split("; ")
          .map((one) => [one.split(" ")[0], one.split(" ").slice(1)]),
      );
      expect(policy.get("sandbox")!.toSorted()).toEqual(sandbox);
      expect(policy.get("default-src")).toEqual(["'none'"]);
      expect(policy.get("img-src")).toEqual(
        kind === "remote" ? ["data:", "blob:", "https:", "http:"] : ["data:", "blob:"],
      );
      expect(
        [...policy.keys()].filter((name) => /script|frame-src|object|connect|media|font|worker/.test(name!)),
      ).toEqual([]);
    }
  });

  test("honest mails keep their look", async () => {
    const ids = await putRaw(
      ann,
      honestMails.map(({ html }, index) =>
        [
          ...[`From: news@x.test`, "Subject: honest", `Message-ID: <h${index}@x.test>`, "References: <h0@x.test>"],
          ...["MIME-Version: 1.0", "Content-Type: text/html; charset=utf-8", "", html],
        ].join("\r\n"),
      ),
    );
    const { page } = await open(`#/inbox/${await threadOf(ann, ids[0]!)}`);
    await page.waitForFunction(
      (count) => document.querySelectorAll(".mail-frame:not(.is-loading)").length === count,
      honestMails.length,
    );
    const lost = await page.evaluate((expected) => {
      const frames = [...document.querySelectorAll("iframe")];
      return expected.flatMap(({ name, keeps }, index) => {
        const shown = frames[index]!.contentDocument!;
        return keeps.flatMap(({ selector, style = {}, attributes = {}, text }) => {
          const element = shown.querySelector(selector);
          if (!element) return [`${name}: no ${selector}`];
          const computed = frames[index]!.contentWindow!.getComputedStyle(element) as unknown as Record<string, string>;
          return [
            ...Object.entries(style).map(([key, value]) => [key, value, computed[key]] as const),
            ...Object.entries(attributes).map(([key, value]) => [key, value, element.getAttribute(key)] as const),
            ...(text === undefined ? [] : [["text", text, element.textContent] as const]),
          ].flatMap(([key, wanted, found]) => (wanted === found ? [] : [`${name}: ${selector} ${key} is ${found}`]));
        });
      });
    }, honestMails);
    expect(lost).toEqual([]);
    expect(await page.locator("article", { hasText: "2 remote pictures are not shown." }).count()).toBe(1);
  });
});

/** Puts the mails into the frames of the page as they are: the parser of each runs what it may. */
async function fillRaw(page: Page, batch: readonly HostileMail[]): Promise<void> {
  await page.evaluate(
    (sources) => {
      const frames = [...document.querySelectorAll("iframe")];
      for (const [index, html] of sources.entries()) {
        const shown = frames[index]?.contentDocument;
        if (!shown) continue;
        shown.open();
        shown.write(html);
        shown.close();
        for (const element of shown.querySelectorAll<HTMLElement>("a, button, summary, area, [onclick], [onfocus]")) {
          // A link elsewhere opens a window, as it should when somebody presses it.
          if (/^https?:/.test((element as HTMLAnchorElement).href ?? "")) continue;
          element.focus?.();
          element.click?.();
        }
      }
    },
    batch.flatMap(({ html }) => html ?? []),
  );
}

/** Says of each request what it is for, and whether it names the reader. */
async function listen(tell: (line: string) => void): Promise<Server> {
  const server = createServer(({ headers }, res) => {
    const { referer, cookie, accept } = headers;
    tell(
      `${accept?.startsWith("image/") ? "image" : "else"} ${referer ? "referrer" : "no-referrer"} ${cookie ? "cookie" : "no-cookie"}`,
    );
    res.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

async function threadOf({ client }: User, id: string): Promise<string> {
  const { list } = await one<GetResult>(client, "Email/get", { ids: [id], properties: ["threadId"] });
  return list[0]!.threadId as string;
}
