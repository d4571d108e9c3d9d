import type { QueueOrder } from "../../../admin/queue.ts";
import { orderQueued } from "../../../admin/queue.ts";
import { nameOf, type QueueRow, type SubmissionKey } from "../../../admin/queue-selection.ts";
import { mailsNamed, pageOfQueue, triesOf, type WaitingMail, wireNameOf } from "../../../admin/waiting-mails.ts";
import { normalizeAddress } from "../../../base/address.ts";
import { decodeId, idPrefix } from "../../../base/ids.ts";
import { loginsOf } from "../../../store/directory/lists.ts";
import { findLogin } from "../../../store/directory/logins.ts";
import { utcDateText } from "../../dates.ts";
import { SetError } from "../../errors.ts";
import * as schema from "../../schema.ts";
import type { JmapObject } from "../../standard/type.ts";
import { accountIdOf } from "../accounts.ts";
import type { Acting } from "../means.ts";
import type { OperatorType } from "../records.ts";

const { exactly, lineUpTo, object, oneOf, optional, textUpTo, unsignedInt } = schema;

const filter = object({
  state: optional(oneOf("waiting", "trying", "held", "delayed")),
  /** Of a recipient. */
  domain: optional(textUpTo(255)),
  /** The account that it is from. */
  sender: optional(textUpTo(320)),
  /** In seconds. */
  minAge: optional(unsignedInt),
});

/** RFC 3463: a code, an enhanced code of failure, and words. */
const reply = {
  json: { type: "string", pattern: "^5\\d\\d 5\\.\\d{1,3}\\.\\d{1,3} [^\\u0000-\\u001f]{1,400}$" },
} as schema.Schema<string>;
const order: schema.Schema<QueueOrder> = {
  json: {
    anyOf: [
      object({ act: oneOf("hold", "release", "retry") }).json,
      object({ act: exactly("bounce"), reply }).json,
      object({ act: exactly("reroute"), host: lineUpTo(300) }).json,
    ],
  },
};
const update = object({ order });

/** Ours (docs/jmap.md): a mail of one of our users, or of the server itself, that waits to go out. */
export const queuedMessage: OperatorType = {
  name: "QueuedMessage",
  properties: ["name", "accountId", "login", "mailFrom", "createdAt", "sendAt", "deliveries"],
  onRequest: ["attempts"],

  async find(ids, operator, wanted) {
    const { admin } = operator;
    const keys = ids.flatMap((id) => keyOfId(id) ?? []);
    const mails = await inScope(await mailsNamed(admin, keys), operator);
    if (!wanted.has("attempts")) return mails.map(shown);
    return Promise.all(
      mails.map(async (mail) => ({ ...shown(mail), attempts: (await triesOf(admin, mail.mail)).map(shownTry) })),
    );
  },

  query: {
    filter,
    async run(given: schema.Static<typeof filter>, { after, limit }, operator) {
      const { admin, call } = operator;
      const { state, domain, sender, minAge = 0 } = given;
      let account: number | null = null;
      if (sender !== undefined && sender.trim() !== "") {
        const login = normalizeAddress(sender) ?? "";
        const found = await findLogin(call.services.store.database, login);
        if (!found || !operator.scope.covers(login)) return { ids: [], next: undefined };
        account = found.userId;
      }
      const from = (after === undefined ? undefined : keyOfId(after)) ?? { userId: account ?? 0, submissionId: 0 };
      const wanted = { account, state, domain: domain || undefined, minAgeMs: minAge * 1000 };
      const { mails, next } = await pageOfQueue(admin, wanted, { after: from, limit });
      const own = await inScope(mails, operator);
      return { ids: own.map(({ mail }) => wireNameOf(mail)), next: next && wireNameOf(next) };
    },
  },

  sweep: {
    name: "order",
    args: { order },
    limit: 100,
    async run(ids, { filter: wanted, args, isDryRun, most }, { admin }) {
      const { state, domain } = wanted as schema.Static<typeof filter>;
      const names = ids.flatMap((id) => keyOfId(id) ?? []).map(nameOf);
      // Of a mail to several, only what the filter means.
      const selection = { names, state, domain: domain || undefined };
      const { order: act } = args as { order: QueueOrder };
      const { changed, trying } = await orderQueued(admin, selection, act, { isDryRun, most });
      return { changed, left: trying };
    },
  },

  update: {
    schema: update,
    async run(id, { order: wanted }: schema.Static<typeof update>, operator) {
      const key = keyOfId(id);
      const [known] = key ? await inScope(await mailsNamed(operator.admin, [key]), operator) : [];
      if (!known) throw new SetError("notFound");
      const { changed, trying } = await orderQueued(operator.admin, { names: [nameOf(known.mail)] }, wanted);
      if (changed === 0) throw new SetError("forbidden", trying > 0 ? "beingTried" : "nothingToChange");
      return { changed, trying };
    },
  },
};

function keyOfId(id: string): SubmissionKey | undefined {
  const [account = "", submission = ""] = id.split("_");
  const [userId, submissionId] = [decodeId(idPrefix.account, account), decodeId(idPrefix.submission, submission)];
  return userId === undefined || submissionId === undefined ? undefined : { userId, submissionId };
}

interface Known {
  mail: WaitingMail;
  login: string | null;
}

async function inScope(mails: readonly WaitingMail[], { call, scope }: Acting): Promise<Known[]> {
  const logins = await loginsOf(
    call.services.store.database,
    mails.map(({ userId }) => userId),
  );
  const known = mails.map((mail) => ({ mail, login: logins.get(mail.userId)?.login ?? null }));
  return known.filter(({ login }) => (login === null ? scope.isForAll : scope.covers(login)));
}

function shown({ mail, login }: Known): JmapObject {
  const { userId, mailFrom, createdAt, sendAt, deliveries } = mail;
  return {
    id: wireNameOf(mail),
    name: deliveries.find(({ incomingId }) => incomingId !== null)?.name ?? nameOf(mail),
    accountId: accountIdOf(userId),
    login,
    mailFrom,
    createdAt: utcDateText(createdAt),
    sendAt: utcDateText(sendAt),
    deliveries: deliveries.map(shownDelivery),
  };
}

function shownDelivery({ rcptTo, standing, attempts, nextAttemptAt, smtpReply, route, heldFor }: QueueRow) {
  const isTimed = standing === "waiting" || standing === "delayed";
  return {
    rcptTo,
    state: standing,
    attempts,
    nextAttemptAt: isTimed ? utcDateText(nextAttemptAt) : null,
    reply: smtpReply,
    route,
    /** Why the sender's standing holds it; null when an operator does. */
    heldFor,
  };
}

function shownTry(row: Awaited<ReturnType<typeof triesOf>>[number]) {
  const { at, milliseconds, recipients, host, address, tls, outcome, reply: said, error, transcript } = row;
  return {
    at: utcDateText(at),
    milliseconds,
    recipients,
    host,
    address,
    tls,
    outcome,
    reply: said,
    error,
    transcript,
  };
}
