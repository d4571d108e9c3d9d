import { expect, test } from "vitest";
import { message } from "../support/messages.ts";
import { until } from "../support/ports.ts";
import { deliver } from "../support/smtp-client.ts";
import { client, host, sink, useOutbox } from "./outbox.ts";

useOutbox();

test("an account with a vacation response answers each sender once a week", async () => {
  const { list } = await client.call("VacationResponse/get", { ids: null });
  expect(list).toMatchObject([{ id: "singleton", isEnabled: false, textBody: null }]);
  const update = {
    singleton: { isEnabled: true, subject: "Away — bis März", htmlBody: "<p>Back in <b>March</b>.</p>" },
  };
  expect(await client.call("VacationResponse/set", { update })).toMatchObject({ updated: { singleton: null } });
  expect(await client.call("VacationResponse/set", { create: { v: {} }, destroy: ["singleton"] })).toMatchObject({
    notCreated: { v: { type: "singleton" } },
    notDestroyed: { singleton: { type: "singleton" } },
  });
  await host.listen();
  const arrive = async (more: Parameters<typeof message>[0] = {}, to = "ada@here.test", from = "eve@far.test") => {
    const data = await message({
      from: "eve@far.test",
      to: "ada@here.test",
      subject: "Are you there?",
      messageId: "<q@far.test>",
      ...more,
    });
    await deliver({ port: host.smtpPort, from, to, data });
    await host.incoming.idle();
    host.mailOut!.wake();
    await host.mailOut!.idle();
  };
  await arrive();
  const [answer] = await sink.waitFor(1);
  expect(answer).toMatchObject({ from: "", to: ["eve@far.test"] });
  const text = answer!.raw.toString();
  expect(text).toMatch(/^Auto-Submitted: auto-replied\r$/m);
  expect(text).toMatch(/^In-Reply-To: <q@far\.test>\r$/m);
  expect(text).toMatch(/^From: .*ada@here\.test/m);
  expect(text).toContain("Back in March.");
  await arrive();
  await arrive({ headers: { "List-Id": "<l.far.test>" } });
  await arrive({ to: "others@far.test" });
  await arrive({}, "ada@here.test", "prvs=0123456789=eve@far.test");
  await arrive({}, "ada@here.test", "dev-bounces+ada=here.test@lists.test");
  expect(sink.messages).toHaveLength(1);
  host.clock.ahead += 8 * 86_400_000;
  await arrive();
  await sink.waitFor(2);
  await client.call("VacationResponse/set", { update: { singleton: { toDate: "2020-01-01T00:00:00Z" } } });
  await arrive();
  expect(sink.messages).toHaveLength(2);
  await until("no trace", async () => (await host.rows("SELECT 1 FROM submission WHERE destroyed")).length === 0);
  const past = await client.call("VacationResponse/set", {
    update: { singleton: { fromDate: "2021-01-01T00:00:00Z" } },
  });
  expect(past).toMatchObject({ notUpdated: { singleton: { type: "invalidProperties" } } });
});
