import { beforeAll, describe, test } from "vitest";
import { addAddress } from "../../src/admin/addresses.ts";
import { ensureDomain } from "../../src/admin/domains.ts";
import { addSuppression } from "../../src/admin/feedback.ts";
import { share } from "../../src/admin/shares.ts";
import { holdSender } from "../../src/admin/standing.ts";
import { addAppPassword } from "../../src/admin/tokens.ts";
import { findLogin } from "../../src/store/directory/logins.ts";
import { addToQuarantine } from "../../src/store/queues/quarantine.ts";
import { keepReport } from "../../src/store/queues/received-reports.ts";
import { addTraffic } from "../../src/store/queues/traffic.ts";
import { queueMail } from "../../test/support/queued-mail.ts";
import { whyNoBrowser } from "./browser.ts";
import { allSizes, look, sizes } from "./look.ts";
import { createWorld, type User, type World } from "./world.ts";

describe.skipIf(whyNoBrowser)("how the operators' page looks", () => {
  let world: World;
  let root: User;
  let queued: string;
  beforeAll(async () => {
    world = await createWorld();
    root = await world.addUser("root");
    const ann = await world.addUser("ann");
    const { admin, store } = world;
    await world.makeOperator(root.address, "admin");
    await world.makeOperator(ann.address, "domain-admin", ["here.test"]);
    await addAddress(admin, "sales@here.test", ann.address, { to: ["far@elsewhere.test"], keepsCopy: true });
    await share(admin, ann.address, root.address);
    await addAppPassword(admin, ann.address, "Ann's phone");
    await ensureDomain(admin, "example.org");
    const userId = (await findLogin(store.database, ann.address))!.userId;
    queued = await queueMail(store, userId, ann.address, "bob@far.test");
    await queueMail(store, userId, ann.address, "a.rather.long.address.of.somebody@subdomain.of.a.long.name.test");
    await holdSender(admin, ann.address, { reason: "Please call the help desk", isDryRun: false });
    await addSuppression(admin, "gone@elsewhere.test", { account: undefined, reason: "550 5.1.1 no such user" });
    const blob = { sha256: Buffer.alloc(32), day: "2026-12-01", size: 48_213 };
    const more = { attempts: 0, failures: 0, junkReason: null, authentication: null, unscanned: false, spam: null };
    const recipients = [{ address: ann.address, userId, done: false }];
    const infected = { id: 7, createdAt: new Date(), blob, mailFrom: "eve@elsewhere.test", recipients, ...more };
    await addToQuarantine(store.database, infected, "Eicar-Test-Signature");
    const at = new Date();
    const about = { id: "00a1", kind: "dmarc", domain: "here.test", organization: "Far Away Ltd", reportId: "1" };
    const report = { ...about, sender: "noreply@far.test", begins: at, ends: at, receivedAt: at, policy: {} };
    const row = { source: "192.0.2.1", result: "pass", number: 120, what: { dkim: "pass", spf: "pass" } };
    await keepReport(store.database, report, [row, { ...row, source: "198.51.100.9", result: "fail", number: 4 }]);
    await world.send(ann, { subject: "Traced" });
    const minute = Math.floor(Date.now() / 60_000) * 60_000;
    await addTraffic(
      store.database,
      Array.from({ length: 55 }, (_, at) => at + 1).flatMap((at) => {
        const row = (kind: string, what: string, count: number) => ({
          minute: new Date(minute - at * 60_000),
          kind,
          what,
          count,
        });
        return [
          row("in", "accepted", 8 + ((at * 7) % 13)),
          row("in", "refused", at % 5),
          row("out", "sent gmail.test", 4 + ((at * 5) % 9)),
          row("out", "sent far.test", at % 3),
          row("out", "deferred slow.test", at % 11 === 0 ? 3 : 0),
          row("out", "failed gmail.test", at % 17 === 0 ? 1 : 0),
          row("filed", "inbox", 7),
          row("filed", "junk", 1),
          row("api", "25", 30),
          row("api", "250", 2),
          row("push", "100", 5),
        ].filter(({ count }) => count > 0);
      }),
    );
  });

  test.each(allSizes)("%s, light and dark: axe finds nothing on what is seen first", async (size) => {
    const options = sizes[size];
    const named = (screen: string) => `operator-${size}-${screen}`;
    const signIn = await world.open(options);
    await signIn.goto(world.operatorUrl);
    await signIn.getByRole("button", { name: "Sign in" }).waitFor();
    await look(signIn, named("sign-in"));
    const page = await world.operate(root, options);
    await page.getByRole("heading", { name: "Mail in", exact: true }).waitFor();
    await look(page, named("overview"));
    if (size !== "desktop") {
      await page.getByRole("button", { name: "Menu" }).click();
      await look(page, named("menu"));
      await page.keyboard.press("Escape");
    }
  });

  test.each(allSizes.filter((size) => size !== "tablet"))(
    "%s, light and dark: nor on any other screen",
    async (size) => {
      const page = await world.operate(root, sizes[size]);
      const named = (screen: string) => `operator-${size}-${screen}`;
      const screens: [at: string, waits: string][] = [
        ["metrics", "Spam and viruses"],
        ["queue", "bob@far.test"],
        [`queue/${queued}`, "Recipients"],
        ["accounts", "ann@here.test"],
        ["domains", "example.org"],
        ["senders", "ann@here.test"],
        ["suppression", "gone@elsewhere.test"],
        ["quarantine", "Eicar-Test-Signature"],
        ["reports", "Far Away Ltd"],
        ["audit", "suppression.add"],
        ["trace?about=ann%40here.test", "put into a mailbox"],
        ["operators", "Administrator of domains"],
      ];
      for (const [at, waits] of screens) {
        await page.goto(`${world.operatorUrl}/#/${at}`);
        await page.getByText(waits).first().waitFor();
        await look(page, named(at.replace(/\W.*/, at.includes("/") ? "-one" : "")));
      }
      await page.goto(`${world.operatorUrl}/#/accounts`);
      await page.getByRole("link", { name: "ann@here.test" }).click();
      await page.getByText("Ann's phone").waitFor();
      await look(page, named("account"));
      await page.goto(`${world.operatorUrl}/#/domains`);
      await page.getByRole("link", { name: "example.org" }).click();
      await page.getByText("records need you").waitFor();
      await look(page, named("domain"));
      await page.goto(`${world.operatorUrl}/#/accounts`);
      await page.getByRole("button", { name: "Add an account" }).click();
      await page.getByRole("dialog").waitFor();
      await look(page, named("add-account"));
    },
  );
});
