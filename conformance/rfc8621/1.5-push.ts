import type { EventStream } from "../client/eventsource.ts";
import type { StateChange } from "../client/types.ts";
import type { TestContext } from "../runner/context.ts";
import { defineTests } from "../runner/define.ts";
import { differs, fail, ok } from "../runner/expect.ts";
import { rawMessage } from "../runner/message.ts";
import { mailGroup, update } from "./support.ts";

const group = mailGroup("1.5", "Push");

/** The next states of the account that the stream tells, within the time. */
async function nextState(
  t: TestContext,
  stream: EventStream,
  timeoutMs: number,
): Promise<Record<string, string> | undefined> {
  const end = Date.now() + timeoutMs;
  while (Date.now() < end) {
    const event = await stream.next(end - Date.now()).catch(() => undefined);
    if (!event) return undefined;
    if (event.event !== "state") continue;
    const states = (JSON.parse(event.data) as StateChange).changed[t.accountId];
    if (states) return states;
  }
  return undefined;
}

/** Waits until the stream is silent: what happened before it was opened may still be told. */
async function settled(t: TestContext, stream: EventStream): Promise<void> {
  while (await nextState(t, stream, 700)) await t.sleep(0);
}

export const mailPush = defineTests(group, [
  {
    id: "email-delivery",
    level: "MUST",
    exclusive: true,
    says: 'Servers MUST support pushing state changes for a type called "EmailDelivery". The state string for this MUST change whenever a new Email is added to the store.',
    run: async (t) => {
      await t.box();
      const stream = await t.eventSource({ types: ["EmailDelivery"] });
      await settled(t, stream);
      await t.email();
      const first = (await nextState(t, stream, 10_000)) ?? fail("nothing was pushed after an import");
      ok(first.EmailDelivery, "the push does not tell the state of EmailDelivery");
      await t.email();
      const second = (await nextState(t, stream, 10_000)) ?? fail("nothing was pushed after a second import");
      differs(second.EmailDelivery, first.EmailDelivery, "state of EmailDelivery");
    },
  },
  {
    id: "email-delivery-only",
    level: "SHOULD",
    exclusive: true,
    says: "It SHOULD NOT change upon any other change to the Email objects, for example, if one is marked as read or deleted.",
    run: async (t) => {
      const { id } = await t.email();
      const stream = await t.eventSource({ types: ["EmailDelivery"] });
      await settled(t, stream);
      await update(t, "Email", id, { "keywords/$seen": true });
      await t.set("Email", { destroy: [id] });
      ok(!(await nextState(t, stream, 1500)), "EmailDelivery was pushed after an update and a destroy");
    },
  },
  {
    id: "email-delivery-smtp",
    level: "MUST",
    exclusive: true,
    needs: ["smtp"],
    says: "The state string for this MUST change whenever a new Email is added to the store.",
    run: async (t) => {
      const subject = t.unique("pushed");
      const stream = await t.eventSource({ types: ["EmailDelivery"] });
      await settled(t, stream);
      t.defer(async () => {
        const { ids } = await t.one<{ ids: string[] }>("Email/query", { filter: { subject } });
        await t.set("Email", { destroy: ids });
      });
      await t.deliver(rawMessage({ subject, to: t.smtp.address }));
      const states = (await nextState(t, stream, 15_000)) ?? fail("nothing was pushed after a delivery");
      ok(states.EmailDelivery, "the push does not tell the state of EmailDelivery");
    },
  },
  ...["Email", "Mailbox", "Thread"].map((type) => ({
    id: `push[${type}]`,
    level: "MUST" as const,
    exclusive: true,
    says: "Servers MUST support the JMAP push mechanisms to receive notifications when the state changes for any of the types defined in this specification.",
    run: async (t: TestContext) => {
      await t.box();
      const stream = await t.eventSource({ types: [type] });
      await settled(t, stream);
      await t.email();
      const states = (await nextState(t, stream, 10_000)) ?? fail("nothing was pushed after an import");
      ok(states[type], `the push does not tell the state of ${type}`);
    },
  })),
]);
