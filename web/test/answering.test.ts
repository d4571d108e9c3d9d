import type { Page } from "playwright-core";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { one } from "../../conformance/client/client.ts";
import type { GetResult, Json } from "../../conformance/client/types.ts";
import { whyNoBrowser } from "./browser.ts";
import { createWorld, type User, type World } from "./world.ts";

const png = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

describe.skipIf(whyNoBrowser)("answers", () => {
  let world: World;
  let ann: User;
  let count = 0;
  beforeAll(async () => {
    world = await createWorld();
  });
  beforeEach(async () => {
    ann = await world.addUser(`ann${++count}`);
  });

  const text = (page: Page) => page.locator(".composer").getByRole("textbox", { name: "Text" });
  const draftOf = async (user: User): Promise<Json | undefined> => {
    const filter = { inMailbox: await user.mailboxId("drafts") };
    const { ids } = await one<{ ids: string[] }>(user.client, "Email/query", { filter });
    const { list } = await one<GetResult>(user.client, "Email/get", {
      ids,
      properties: [
        "subject",
        "to",
        "cc",
        "from",
        "inReplyTo",
        "references",
        "bodyValues",
        "textBody",
        "htmlBody",
        "attachments",
      ],
      fetchAllBodyValues: true,
    });
    return list[0];
  };
  const saved = async (page: Page) => {
    await page.locator(".composer-status").getByText("Saved in Drafts").waitFor();
    return (await draftOf(ann))!;
  };
  const bodyOf = (mail: Json, kind: "textBody" | "htmlBody"): string => {
    const values = mail.bodyValues as Record<string, { value: string }>;
    return (mail[kind] as { partId: string }[]).map(({ partId }) => values[partId]!.value).join("");
  };
  const open = async (page: Page, subject: string) => {
    await page.locator(".row-link").filter({ hasText: subject }).click();
    await page.getByRole("button", { name: "Reply", exact: true }).first().waitFor();
  };

  test("a table in the quote stays a table, a fixed element does not lie over the page, and a picture is a part again", async () => {
    await ann.put({
      from: "Bob Quill <bob@there.test>",
      subject: "Numbers",
      html: `<table border="1" style="color: rgb(200, 0, 0)"><tr><td>one</td><td>two</td></tr></table>
        <div style="position:fixed;top:0;left:0;width:100%;height:100%;background:red">over all</div>
        <img src="cid:dot@there.test" alt="dot"><img src="https://tracker.test/a.png">`,
      attachments: [
        { filename: "dot.png", content: png, contentType: "image/png", cid: "dot@there.test", disposition: "inline" },
      ],
    });
    const page = await world.signIn(ann);
    await open(page, "Numbers");
    await page.keyboard.press("r");
    await text(page).locator("blockquote table").waitFor();
    await text(page).locator("blockquote img").waitFor();
    await page.keyboard.type("Thanks, Bob.");
    const mail = await saved(page);
    expect(mail).toMatchObject({ subject: "Re: Numbers", to: [{ name: "Bob Quill", email: "bob@there.test" }] });
    const html = bodyOf(mail, "htmlBody");
    expect(html).toMatch(/Thanks, Bob\..*<blockquote type="cite".*<table border="1" style="color: rgb\(200, 0, 0\)/s);
    expect(html).not.toMatch(/fixed|tracker/);
    const [picture] = mail.attachments as Json[];
    expect(picture).toMatchObject({ type: "image/png", cid: "dot@there.test" });
    expect(html).toContain('src="cid:dot@there.test"');
    expect(bodyOf(mail, "textBody")).toMatch(/^Thanks, Bob\.\n\nOn .*, Bob Quill wrote:\n> one two/s);
  });

  test("a reply to all is in the thread and leaves oneself out; passing on takes the files along", async () => {
    await ann.put({
      from: "bob@there.test",
      to: [ann.address, "eve@far.test"],
      cc: ["joe@far.test"],
      subject: "Plan",
      messageId: "<plan@there.test>",
      text: "What do you think?",
      attachments: [{ filename: "plan.txt", content: "the plan" }],
    });
    const page = await world.signIn(ann);
    await open(page, "Plan");
    await page.keyboard.press("a");
    await text(page).getByText("What do you think?").waitFor();
    await page.keyboard.type("Fine.");
    const all = await saved(page);
    expect(all).toMatchObject({
      to: [{ email: "bob@there.test" }],
      cc: [{ email: "eve@far.test" }, { email: "joe@far.test" }],
      inReplyTo: ["plan@there.test"],
      attachments: [],
    });
    await page.locator(".composer").getByRole("button", { name: "Discard" }).click();
    await page.locator("dialog.ask").getByRole("button", { name: "Discard" }).click();
    await expect.poll(() => draftOf(ann)).toBeUndefined();
    await page.locator(".composer").waitFor({ state: "detached" });
    await page.locator(".reading-pane").focus();
    await page.keyboard.press("f");
    await page.locator(".composer-file").getByText("plan.txt").waitFor();
    await page.getByLabel("Subject").press("End");
    await page.keyboard.type("!");
    const passed = await saved(page);
    expect(passed).toMatchObject({ subject: "Fwd: Plan!", to: null, attachments: [{ name: "plan.txt" }] });
    expect(bodyOf(passed, "textBody")).toContain("Forwarded message");
  });

  test("an answer that is closed before anything is written leaves no draft", async () => {
    await ann.put({ from: "bob@there.test", subject: "Only a look", html: "<p>Well?</p>" });
    const page = await world.signIn(ann);
    await open(page, "Only a look");
    await page.keyboard.press("r");
    await text(page).getByText("Well?").waitFor();
    await page.waitForTimeout(500);
    await page.keyboard.press("Escape");
    await page.locator(".composer").waitFor({ state: "detached" });
    await page.waitForTimeout(1_000);
    expect(await draftOf(ann)).toBeUndefined();
  });

  test("a sent answer marks the mail as answered", async () => {
    const bob = await world.addUser(`bob${count}`);
    const id = await ann.put({ from: bob.address, subject: "Question", text: "Yes or no?" });
    const page = await world.signIn(ann);
    await open(page, "Question");
    await page.keyboard.press("r");
    await text(page).getByText("Yes or no?").waitFor();
    await page.keyboard.type("Yes.");
    await page.keyboard.press("Control+Enter");
    await page.locator(".toast").getByText("Sent", { exact: true }).waitFor();
    await expect
      .poll(async () => {
        const { list } = await one<GetResult>(ann.client, "Email/get", { ids: [id], properties: ["keywords"] });
        return list[0]!.keywords;
      })
      .toMatchObject({ $answered: true });
  });
});
