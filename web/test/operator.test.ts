import type { Page } from "playwright-core";
import { beforeAll, describe, expect, test } from "vitest";
import { one } from "../../conformance/client/client.ts";
import { addAccount } from "../../src/admin/accounts.ts";
import { dkimRecord, rotationOf } from "../../src/admin/dkim-keys.ts";
import { dnsRecords } from "../../src/admin/dns-records.ts";
import { keysOf, showDomain } from "../../src/admin/domains.ts";
import { addSuppression } from "../../src/admin/feedback.ts";
import { addOperator } from "../../src/admin/operators.ts";
import { setDkimKeyState } from "../../src/store/directory/dkim-keys.ts";
import { afterwards } from "../../test/support/afterwards.ts";
import { startDns } from "../../test/support/dns.ts";
import { freePorts } from "../../test/support/ports.ts";
import { type SmtpSink, startSink } from "../../test/support/smtp-sink.ts";
import { expectNoFaults } from "./axe.ts";
import { whyNoBrowser } from "./browser.ts";
import { appCode, createWorld, password, type User, type World } from "./world.ts";

describe.skipIf(whyNoBrowser)("the operators' page", () => {
  let world: World;
  let root: User;
  let ann: User;
  /** Nobody listens there. */
  let farPort: number;
  let sink: SmtpSink;
  let dns: Awaited<ReturnType<typeof startDns>>;
  beforeAll(async () => {
    [farPort] = (await freePorts(1)) as [number];
    sink = await startSink();
    afterwards(() => sink.stop());
    dns = await startDns({});
    const flags = {
      routes: `edge.test=127.0.0.1:${farPort},far.test=127.0.0.1:${farPort},near.test=127.0.0.1:${sink.port}`,
      "allow-private-targets": "true",
      hostname: "mx.here.test",
      "retry-schedule": "1h",
    };
    world = await createWorld({ flags, resolver: dns.resolver() });
    root = await world.addUser("root");
    ann = await world.addUser("ann");
    await world.makeOperator(root.address, "admin");
    await addAccount(world.admin, { address: "eye@here.test", name: "", password, quota: 0 });
    await world.makeOperator("eye@here.test", "read-only");
  });

  const go = (page: Page, place: string) =>
    page.getByRole("navigation").getByRole("link", { name: place, exact: true }).click();
  const heading = (page: Page, name: string) => page.getByRole("heading", { level: 1, name }).waitFor();

  /** Ann sends a mail from her inbox, by JMAP. */
  async function submit(to: string, subject: string): Promise<void> {
    const { list } = await one<{ list: { id: string }[] }>(ann.client, "Identity/get", { ids: null });
    const emailId = await ann.put({ from: ann.address, to, subject, text: "Hello.", mailbox: "drafts" });
    const envelope = { mailFrom: { email: ann.address }, rcptTo: [{ email: to }] };
    const made = await one<{ notCreated: unknown }>(ann.client, "EmailSubmission/set", {
      create: { s: { identityId: list[0]!.id, emailId, envelope } },
    });
    expect(made.notCreated).toBeNull();
  }

  test("signing in: a wrong password and an account that is no operator's are told apart; an operator comes in, and out", async () => {
    const page = await world.open();
    await page.goto(world.operatorUrl);
    const fill = async (address: string, secret: string) => {
      await page.getByLabel("Email address").fill(address);
      await page.getByLabel("Password").fill(secret);
      await page.getByRole("button", { name: "Sign in" }).click();
    };
    await fill(root.address, "wrong");
    await page.getByText("The address or the password is wrong.").waitFor();
    await fill(ann.address, password);
    await page.getByText("This account is no operator's.").waitFor();
    // Nothing comes before the second factor, not even for who knows the password and the address of a place.
    await addAccount(world.admin, { address: "noa@here.test", name: "", password, quota: 0 });
    await addOperator(world.admin, "noa@here.test", { role: "admin", domains: [] });
    await page.goto(`${world.operatorUrl}/#/accounts`);
    await fill("noa@here.test", password);
    await page.getByText("Your account needs a second factor").waitFor();
    await expectNoFaults(page);
    const asked = await page.evaluate(async () => {
      const headers = { "Content-Type": "application/json" };
      const body = JSON.stringify({ using: [], methodCalls: [] });
      return (await fetch("/jmap/api", { method: "POST", headers, body })).status;
    });
    expect(asked).toBe(401);
    await page.reload();
    await fill("noa@here.test", password);
    await page.getByRole("button", { name: "Authenticator app" }).click();
    await expectNoFaults(page);
    const key = (await page.locator(".factor-key code").textContent())!;
    await page.getByLabel("Code from your authenticator app").fill(appCode(key));
    await page.getByRole("button", { name: "Turn on" }).click();
    await page.getByText("Your recovery codes").waitFor();
    const [recovery] = await page.locator(".factor-codes code").allTextContents();
    await expectNoFaults(page);
    await page.getByRole("button", { name: "I have kept them" }).click();
    await heading(page, "Accounts");
    await go(page, "Overview");
    await page.getByText("The database answers.").waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    // The code that was used counts no more; a recovery code does, once.
    await fill("noa@here.test", password);
    await page.getByLabel("Code from your authenticator app").fill(appCode(key));
    await page.getByRole("button", { name: "Continue" }).click();
    await page.getByRole("alert").getByText("That is not right").waitFor();
    await page.getByRole("button", { name: "Use a recovery code" }).click();
    await page.getByLabel("Recovery code").fill(recovery!);
    await page.getByRole("button", { name: "Continue" }).click();
    await heading(page, "Overview");
    expect(await page.evaluate(() => document.cookie)).toBe("");
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("button", { name: "Sign in" }).waitFor();
    await page.reload();
    await page.getByRole("button", { name: "Sign in" }).waitFor();
  });

  test("a server that is away: the queue has its reason, and the overview turns yellow with it", async () => {
    await submit("bob@far.test", "Hold the line");
    const page = await world.operate(root, { at: "#/queue" });
    const row = page.getByRole("row").filter({ hasText: "bob@far.test" });
    await row.getByText(/refused|ECONNREFUSED|451|connection/i).waitFor();
    for (let tries = 0; tries < 3; tries++) {
      await row.getByRole("button", { name: "Try now" }).click();
      await page.getByText("It is tried now.").first().waitFor();
      await page.waitForTimeout(700);
      await page.getByRole("button", { name: "Refresh" }).click();
    }
    await row.getByRole("link").click();
    await page.getByRole("heading", { name: "Tries" }).waitFor();
    await page.getByText("put off").first().waitFor();
    await go(page, "Overview");
    await page.getByText(/No mail gets through to far\.test/).waitFor({ timeout: 25_000 });
    await page.getByText(/things? needs? a look/).waitFor();
    await page.getByRole("link", { name: "Show" }).first().waitFor();
  }, 60_000);

  test("a server that puts off: the queue has its answer, one press tries again, and the mail is delivered", async () => {
    sink.program({ stage: "rcpt", address: "dora@near.test", times: 1, reply: "451 4.3.0 come again" });
    await submit("dora@near.test", "Once more");
    const page = await world.operate(root, { at: "#/queue?domain=near.test" });
    const row = page.getByRole("row").filter({ hasText: "dora@near.test" });
    await expect
      .poll(async () => {
        await page.getByRole("button", { name: "Refresh" }).click();
        return row.getByText("451 4.3.0 come again").count();
      })
      .toBe(1);
    await row.getByRole("button", { name: "Try now" }).click();
    await expect.poll(() => sink.messages.map(({ to }) => to.join()), { timeout: 10_000 }).toEqual(["dora@near.test"]);
  });

  test("the queue hears of what comes, in every tab, and all that it is narrowed to is changed at once, by the keyboard", async () => {
    sink.program({ stage: "rcpt", address: "many@near.test", times: 3, reply: "451 4.3.0 come again" });
    const page = await world.operate(root, { at: "#/queue?domain=near.test" });
    const other = await page.context().newPage();
    await other.goto(`${world.operatorUrl}/#/queue?state=held`);
    await heading(other, "Queue");
    await page.bringToFront();
    const asked: string[] = [];
    page.on("request", (request) => asked.push(request.url()));
    for (const no of [1, 2, 3]) await submit("many@near.test", `Number ${no}`);
    // Without a reload, and without anybody pressing anything.
    const rows = page.getByRole("row").filter({ hasText: "many@near.test" });
    await expect.poll(() => rows.count(), { timeout: 10_000 }).toBe(3);
    const button = page.getByRole("button", { name: "All of these…" });
    await button.focus();
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog");
    await expectNoFaults(page);
    await dialog.getByLabel("What is done to them").selectOption("Hold");
    await dialog.getByRole("button", { name: "Count them" }).focus();
    await page.keyboard.press("Enter");
    await dialog.getByText("Hold: 3 recipients").waitFor();
    await expectNoFaults(page);
    await dialog.getByRole("button", { name: "Hold", exact: true }).focus();
    await page.keyboard.press("Enter");
    await dialog.getByText("3 were changed.").waitFor();
    await expectNoFaults(page);
    await dialog.getByRole("button", { name: "Close", exact: true }).last().click();
    // The button has the focus again.
    await expect.poll(() => button.evaluate((it) => it === document.activeElement)).toBe(true);
    // The other tab shows them as soon as somebody looks.
    await other.bringToFront();
    await other.getByRole("row").filter({ hasText: "many@near.test" }).nth(2).waitFor();
    await other.getByRole("button", { name: "All of these…" }).click();
    const second = other.getByRole("dialog");
    await second.getByLabel("What is done to them").selectOption("Return to sender");
    await second.getByRole("button", { name: "Count them" }).click();
    const act = second.getByRole("button", { name: "Return to sender" });
    expect(await act.isDisabled()).toBe(true);
    await second.getByLabel("Type 3 to confirm").fill("3");
    await act.click();
    await second.getByText("3 were changed.").waitFor();
    await other.close();
  }, 60_000);

  test("what cannot be taken back is done to what was counted, and to no more; when it breaks off, that is said", async () => {
    for (const no of [1, 2]) await submit(`edge${no}@edge.test`, `Edge ${no}`);
    const page = await world.operate(root, { at: "#/queue?domain=edge.test" });
    const rows = page.getByRole("row").filter({ hasText: "@edge.test" });
    await expect.poll(() => rows.count()).toBe(2);
    const dialog = page.getByRole("dialog");
    const count = async () => {
      await page.getByRole("button", { name: "All of these…" }).click();
      await dialog.getByLabel("What is done to them").selectOption("Return to sender");
      await dialog.getByRole("button", { name: "Count them" }).click();
    };
    await count();
    await dialog.getByText("Return to sender: 2 recipients").waitFor();
    await dialog.getByText("No more than so many").waitFor();
    await expectNoFaults(page);
    // Meanwhile one more comes, and the list is narrowed to something else.
    await submit("edge3@edge.test", "Edge 3");
    await expect.poll(() => rows.count(), { timeout: 10_000 }).toBe(3);
    await page.evaluate(() => {
      location.hash = "#/queue?domain=nobody.test";
    });
    await page.getByText("Nothing").first().waitFor();
    await dialog.getByLabel("Type 2 to confirm").fill("2");
    await dialog.getByRole("button", { name: "Return to sender" }).click();
    await dialog.getByText("2 were changed.").waitFor();
    await dialog.getByRole("button", { name: "Close", exact: true }).last().click();
    await page.goto(`${world.operatorUrl}/#/queue?domain=edge.test`);
    await expect.poll(() => rows.count()).toBe(1);
    await count();
    await dialog.getByLabel("Type 1 to confirm").fill("1");
    await page.route("**/jmap/api", async (route) => {
      if (route.request().postData()?.includes('"isDryRun":false')) await route.abort();
      else await route.fallback();
    });
    await dialog.getByRole("button", { name: "Return to sender" }).click();
    await dialog.getByRole("alert").getByText("the server was not reached").waitFor();
    await dialog.getByText("It broke off: 0 were changed, perhaps more.").waitFor();
    await expectNoFaults(page);
  }, 60_000);

  test("a list that loads slower than news comes is shown all the same", async () => {
    const page = await world.operate(root, { at: "#/queue?domain=edge.test" });
    await page.getByRole("row").filter({ hasText: "edge3@edge.test" }).waitFor();
    await page.route("**/jmap/api", async (route) => {
      await page.waitForTimeout(1_600);
      await route.fallback();
    });
    const isThere = () => page.getByRole("row").filter({ hasText: "slow0@edge.test" }).isVisible();
    let sent = 0;
    for (; sent < 16 && !(await isThere()); sent++) {
      await submit(`slow${sent}@edge.test`, "Slow");
      await page.waitForTimeout(500);
    }
    expect(sent).toBeLessThan(16);
    await page.unrouteAll({ behavior: "ignoreErrors" });
  }, 60_000);

  test("all pages that are shown follow the news: what is new pushes nothing out, and what is gone goes", async () => {
    const name = (no: number) => `m${String(no).padStart(2, "0")}@page.test`;
    for (let no = 1; no <= 60; no++)
      await addSuppression(world.admin, name(no), { account: undefined, reason: "550 5.1.1" });
    const page = await world.operate(root, { at: "#/suppression?contains=page.test" });
    const rows = page.getByRole("row").filter({ hasText: "@page.test" });
    await expect.poll(() => rows.count()).toBe(50);
    await page.getByRole("button", { name: "Show more" }).click();
    await expect.poll(() => rows.count()).toBe(60);
    const other = await world.operate(root, { at: "#/suppression?contains=page.test" });
    await other.getByRole("button", { name: "Suppress an address" }).click();
    await other.getByRole("dialog").getByLabel("Address").fill("a@page.test");
    await other.getByRole("dialog").getByLabel("Reason").fill("Asked for it");
    await other.getByRole("dialog").getByRole("button", { name: "Suppress" }).click();
    await other.getByRole("row").filter({ hasText: "a@page.test" }).waitFor();
    await page.bringToFront();
    await page.getByRole("row").filter({ hasText: "a@page.test" }).waitFor();
    await page
      .getByRole("row")
      .filter({ hasText: name(50) })
      .waitFor();
    expect(await rows.count()).toBe(61);
    await other.getByRole("button", { name: "Show more" }).click();
    await other
      .getByRole("row")
      .filter({ hasText: name(55) })
      .getByRole("button")
      .click();
    await page.bringToFront();
    await expect.poll(() => rows.count()).toBe(60);
    expect(
      await page
        .getByRole("row")
        .filter({ hasText: name(55) })
        .count(),
    ).toBe(0);
  });

  test("a mail that is returned to its sender needs a reason, and its sender gets it", async () => {
    await submit("carl@far.test", "Never mind");
    const page = await world.operate(root, { at: "#/queue?domain=far.test" });
    await page.getByRole("link", { name: "carl@far.test" }).click();
    await page.getByRole("button", { name: "Return to sender" }).click();
    await page.getByLabel("What the report says").fill("550 5.7.1 Ask at the desk");
    await page.getByRole("dialog").getByRole("button", { name: "Return to sender" }).click();
    await page.getByText("Returned to its sender.").first().waitFor();
    const inbox = await world.signIn(ann);
    await inbox.getByText("Undelivered: Never mind").first().waitFor();
  });

  test("an account is added, signs in, and is signed out when it is removed with its name typed", async () => {
    const page = await world.operate(root, { at: "#/accounts" });
    await page.getByRole("button", { name: "Add an account" }).click();
    await page.getByLabel("Address", { exact: true }).fill("new@here.test");
    await page.getByLabel("Password").fill(password);
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await heading(page, "new@here.test");
    const user = { ...ann, address: "new@here.test" };
    const inbox = await world.signIn(user);
    await page.getByRole("button", { name: "Add an address" }).click();
    await page.getByLabel("Address", { exact: true }).fill("alias@here.test");
    await page.getByRole("dialog").getByRole("button", { name: "Add", exact: true }).click();
    await page.getByText("alias@here.test", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Remove the account" }).click();
    const remove = page.getByRole("dialog").getByRole("button", { name: "Remove the account" });
    expect(await remove.isDisabled()).toBe(true);
    await page.getByLabel("Type new@here.test to confirm").fill("new@here.test");
    await remove.click();
    await heading(page, "Accounts");
    await inbox.getByText("You were signed out.").waitFor();
    await go(page, "Audit");
    await page.getByText("account.remove").waitFor();
    await page.getByRole("row").filter({ hasText: "account.remove" }).getByText(root.address).waitFor();
  });

  test("what is refused is said in words, and nothing typed is lost", async () => {
    const page = await world.operate(root, { at: "#/accounts" });
    await page.getByRole("button", { name: "Add an account" }).click();
    await page.getByLabel("Address", { exact: true }).fill(ann.address);
    await page.getByLabel("Password").fill(password);
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.getByRole("alert").getByText("That exists already.").waitFor();
    expect(await page.getByLabel("Address", { exact: true }).inputValue()).toBe(ann.address);
  });

  test("a domain: each record is compared with DNS, and the wrong one is shown beside the line to publish", async () => {
    const domain = await showDomain(world.admin, "here.test");
    const records = dnsRecords(domain, "mx.here.test", await keysOf(world.admin, "here.test"));
    for (const { name, type, value, purpose } of records) {
      const plain = name.replace(/\.$/, "");
      if (type === "MX") dns.set(plain, "MX", { preference: 10, exchange: "mx.here.test" });
      else if (purpose !== "SPF") dns.set(plain, "TXT", value.replaceAll('" "', "").replace(/^"|"$/g, ""));
    }
    dns.set("here.test", "TXT", "v=spf1 ip4:192.0.2.99 -all");
    dns.set("mx.here.test", "A", "127.0.0.1");
    const page = await world.operate(root, { at: "#/domains" });
    await page.getByRole("link", { name: "here.test", exact: true }).click();
    // The page does not wait for DNS.
    await page.getByRole("heading", { name: "Records to publish" }).waitFor();
    const line = (record: string) =>
      page
        .locator(".check-line")
        .filter({ has: page.getByText(record, { exact: true }) })
        .first();
    await line("MX").getByText("right", { exact: true }).waitFor();
    await line("DKIM").getByText("right", { exact: true }).waitFor();
    await line("SPF").getByText("wrong", { exact: true }).waitFor();
    await line("SPF").getByText("v=spf1 ip4:192.0.2.99 -all").waitFor();
    await line("SPF").getByRole("button", { name: "Copy the line for SPF" }).waitFor();
  });

  test("a domain gets new keys, step by step, and a policy for TLS", async () => {
    const page = await world.operate(root, { at: "#/domains" });
    await page.getByRole("link", { name: "here.test", exact: true }).click();
    await page.getByRole("button", { name: "Make new keys" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Make new keys" }).click();
    await page.getByText("New keys are made, and sign nothing").waitFor();
    await expect.poll(() => page.getByText("not in DNS yet").count()).toBe(2);
    const { fresh } = await rotationOf(world.admin, "here.test");
    for (const key of fresh) {
      const { name, value } = dkimRecord(key);
      dns.set(name, "TXT", value);
    }
    await page.getByRole("button", { name: "Ask DNS again" }).click();
    await page.getByRole("button", { name: "Let the new keys sign" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Let the new keys sign" }).click();
    await page.getByText("the old ones must stay in DNS").waitFor();
    await page.getByText("No policy").waitFor();
    await page.getByRole("button", { name: "Set the policy" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
    await page.getByText("Testing: they send all the same").first().waitFor();
    await page
      .getByRole("table", { name: /MTA-STS/ })
      .getByText("_mta-sts.here.test.")
      .waitFor();
    await expectNoFaults(page);
    await page.getByRole("button", { name: "Set the policy" }).click();
    const policy = page.getByRole("dialog");
    await policy.getByLabel("Hosts that take its mail").fill("");
    await policy.getByRole("combobox").selectOption("No policy");
    await policy.getByLabel("Hosts that take its mail").waitFor({ state: "hidden" });
    await policy.getByRole("button", { name: "Save" }).click();
    await page.getByText("No policy is published now.").first().waitFor();
    // Their time in DNS is over.
    const { retired } = await rotationOf(world.admin, "here.test");
    for (const key of retired)
      await setDkimKeyState(world.store.database, { ...key, state: "retired", since: new Date(0) });
    await page.reload();
    await page.getByText("Sign no more, and may leave DNS now:").waitFor();
    await page.getByRole("button", { name: "Make new keys" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("These old keys are forgotten.").waitFor();
    for (const key of retired) await dialog.getByText(dkimRecord(key).name).waitFor();
    await expectNoFaults(page);
  });

  test("a masked address is made for an account, and closed", async () => {
    const page = await world.operate(root, { at: "#/accounts" });
    await page.getByRole("link", { name: ann.address }).click();
    await page.getByRole("button", { name: "Make a masked address" }).click();
    await page.getByLabel("What it is for").fill("A shop");
    await page.getByRole("dialog").getByRole("button", { name: "Make", exact: true }).click();
    const row = page.getByRole("listitem").filter({ hasText: "A shop" });
    await row.getByRole("button", { name: "Close", exact: true }).click();
    await row.getByText("closed").waitFor();
    await row.getByRole("button", { name: "Open again" }).click();
    await row.getByText("closed").waitFor({ state: "detached" });
  });

  test("one mail is followed live, from its way in on", async () => {
    sink.program({ stage: "rcpt", address: "live@near.test", times: 1, reply: "451 4.3.0 come again" });
    await submit("live@near.test", "Follow me");
    const page = await world.operate(root, { at: "#/trace?about=live%40near.test" });
    const follow = page.getByRole("link", { name: "Follow this mail alone, live" });
    await expect
      .poll(async () => {
        await page.getByRole("button", { name: "Search" }).click();
        return follow.count();
      })
      .toBe(1);
    await follow.click();
    await page.getByText("Live: each further step").waitFor();
    await page.getByText("451 4.3.0 come again").first().waitFor();
    // Meanwhile somebody else has it tried again.
    const other = await world.operate(root, { at: "#/queue?domain=near.test" });
    await other.getByRole("row").filter({ hasText: "live@near.test" }).getByRole("button", { name: "Try now" }).click();
    await page.bringToFront();
    await page.getByText("taken", { exact: true }).first().waitFor({ timeout: 10_000 });
    await expectNoFaults(page);
  });

  test("metrics show what the last hour brought, and the last day", async () => {
    const page = await world.operate(root, { at: "#/metrics" });
    await heading(page, "Metrics");
    for (const name of ["Mail in", "Mail out", "Spam and viruses", "Bounces and complaints"]) {
      await page.getByRole("img", { name: new RegExp(`^${name}: `) }).waitFor();
    }
    await page.getByText("The database answers.").waitFor();
    await page.getByLabel("Time").selectOption("the last day");
    await page.getByText("12 hours ago").first().waitFor();
    await expectNoFaults(page);
    const eye = await world.operate({ address: "eye@here.test" }, { at: "#/metrics" });
    await heading(eye, "Metrics");
  });

  test("a mail is found by its Message-ID, step by step", async () => {
    await world.send(ann, { subject: "Traced", headers: "X-Test: 1\r\n" });
    const page = await world.operate(root, { at: "#/trace" });
    await page.getByLabel("Id, Message-ID or address").fill(ann.address);
    await page.getByRole("button", { name: "Search" }).click();
    await page.getByText("put into a mailbox").first().waitFor();
    const id = await page.locator(".panel code").first().textContent();
    expect(id).toMatch(/^<.+@.+>$/);
    await page.getByLabel("Id, Message-ID or address").fill(id!);
    await page.getByRole("button", { name: "Search" }).click();
    await page.getByText(id!).first().waitFor();
  });

  test("the keyboard goes everywhere, and says what it can", async () => {
    const page = await world.operate(root);
    await page.keyboard.press("g");
    await page.keyboard.press("q");
    await heading(page, "Queue");
    expect(await page.evaluate(() => document.activeElement?.tagName)).toBe("H1");
    await page.keyboard.press("g");
    await page.keyboard.press("l");
    await heading(page, "Audit");
    await page.keyboard.press("?");
    await page.getByRole("dialog").getByText("Suppressed addresses").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
  });

  test("who may only look sees no button that changes anything", async () => {
    const page = await world.operate({ address: "eye@here.test" }, { at: "#/accounts" });
    await page.getByRole("link", { name: ann.address }).click();
    await heading(page, ann.address);
    await page.getByText("main address").waitFor();
    const names = await page.locator("main").getByRole("button").allTextContents();
    expect(names.filter((name) => name !== "")).toEqual([]);
  });

  test("in German, and on a phone without sideways scrolling", async () => {
    const phone = { viewport: { width: 375, height: 740 }, hasTouch: true, isMobile: true };
    const page = await world.operate(root, { locale: "de-AT", ...phone });
    await heading(page, "Übersicht");
    for (const [place, title] of [
      ["metrics", "Messwerte"],
      ["queue", "Warteschlange"],
      ["accounts", "Konten"],
      ["senders", "Absender"],
      ["suppression", "Gesperrte Adressen"],
      ["quarantine", "Quarantäne"],
      ["reports", "Berichte"],
      ["audit", "Protokoll"],
    ]) {
      await page.goto(`${world.operatorUrl}/#/${place}`);
      await heading(page, title!);
      await page.waitForTimeout(150);
      expect([place, await page.evaluate(() => document.documentElement.scrollWidth)]).toEqual([place, 375]);
    }
  });
});
