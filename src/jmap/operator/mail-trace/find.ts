import { Refused } from "../../../admin/refused.ts";
import { type Story, trace } from "../../../admin/trace.ts";
import { mailIdOf } from "../../../base/mail-log.ts";
import { loginsOf } from "../../../store/directory/lists.ts";
import { capabilities } from "../../capability-names.ts";
import { utcDateText } from "../../dates.ts";
import { MethodError } from "../../errors.ts";
import { type Method, plainMethod } from "../../method.ts";
import { object, optional, textUpTo, unsignedInt } from "../../schema.ts";
import { type Acting, acting, type Means } from "../means.ts";

const dayMs = 86_400_000;
const usualDays = 2;
const maxDays = 30;

/**
 * Ours (docs/jmap.md): the stories of a mail by its id, its Message-ID or an address. By id it reads what is of that mail; otherwise the log of
 * the last days, at most 1,000 steps and 50 mails. Of an id that the log no longer has, all nodes are asked.
 */
export function mailTraceFind(means: Means): Method {
  return plainMethod({
    name: "MailTrace/find",
    capability: capabilities.operator,
    args: object({ about: textUpTo(1_000), days: optional(unsignedInt) }),
    async run({ about, days = usualDays }, call) {
      const operator = acting(call, means);
      const within = Math.min(Math.max(days, 1), maxDays) * dayMs;
      const found = await trace(operator.admin, about.trim(), within).catch((error: unknown) => {
        if (error instanceof Refused) throw new MethodError("invalidArguments", error.why.type, { refusal: error.why });
        throw error;
      });
      const own = await Promise.all(found.map((story) => withinScope(story, operator)));
      return { response: { list: own.filter((story) => story !== undefined).map(shown) } };
    },
  });
}

/**
 * What a domain-admin may see of a story: all of what its own users sent; of what came in, what its own recipients got, and not who
 * else did. The sender of a mail from outside proves nothing, so it does not count.
 */
async function withinScope(story: Story, { scope, call }: Acting): Promise<Story | undefined> {
  if (scope.isForAll) return story;
  const senders = [
    ...story.deliveries.map(({ userId }) => userId),
    ...story.attempts.map(({ userId }) => userId),
    ...story.events.flatMap(({ fields }) => (typeof fields.submission === "number" ? [Number(fields.account)] : [])),
  ];
  const logins = [...(await loginsOf(call.services.store.database, senders)).values()];
  if (logins.length > 0 && logins.every(({ login }) => scope.covers(login))) return story;
  const events = story.events.flatMap((event) => {
    const to = toOf(event).filter((address) => scope.covers(address));
    if (to.length === 0) return [];
    const { from, reply, reason, reasons, messageId } = event.fields as Record<string, unknown>;
    return [{ ...event, addresses: to, fields: { from, to, reply, reason, reasons, messageId } }];
  });
  return events.length === 0
    ? undefined
    : { mailId: story.mailId, events, attempts: [], deliveries: [], incoming: undefined };
}

const toOf = ({ fields }: Story["events"][number]) => (Array.isArray(fields.to) ? (fields.to as string[]) : []);

function shown({ mailId, events, attempts, deliveries, incoming }: Story) {
  return {
    id: mailId === null ? null : mailIdOf(mailId),
    messageId: events.find(({ messageId }) => messageId !== null)?.messageId ?? null,
    events: events.map(({ at, event, fields }) => ({ at: utcDateText(at), event, fields })),
    attempts: attempts.map(
      ({ at, recipients, host, address, tls, outcome, reply, error, transcript, milliseconds }) => ({
        ...{ at: utcDateText(at), milliseconds, recipients, host, address, tls, outcome, reply, error, transcript },
      }),
    ),
    deliveries: deliveries.map(({ rcptTo, standing, smtpReply }) => ({ rcptTo, state: standing, reply: smtpReply })),
    incoming: incoming && {
      attempts: incoming.attempts,
      lastError: incoming.lastError,
      isSetAside: incoming.setAsideAt !== null,
    },
  };
}
