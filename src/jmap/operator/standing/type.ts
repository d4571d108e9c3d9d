import { holdSender, liftSender, setSendingLimits, showStanding } from "../../../admin/standing.ts";
import { decodeId, idPrefix } from "../../../base/ids.ts";
import { loginsOf } from "../../../store/directory/lists.ts";
import { countHeldMail, findSender, pageOfSenders } from "../../../store/queues/held-senders.ts";
import * as schema from "../../schema.ts";
import { accountIdOf, accountsInScope, accountToChange } from "../accounts.ts";
import type { OperatorType } from "../records.ts";

const { lineUpTo, nullable, object, optional, unsignedInt } = schema;

/** `hold`: its reason as the user is told it, or null to let the mail go. */
const update = object({
  hold: optional(nullable(lineUpTo(500))),
  hourly: optional(nullable(unsignedInt)),
  daily: optional(nullable(unsignedInt)),
});
/** So many accounts are looked at for a page. */
const maxLookedAt = 1_000;

/** Ours (docs/jmap.md): an account as a sender. The list has those whose mail is held, and those with limits of their own. */
export const standing: OperatorType = {
  name: "Standing",
  properties: ["login", "hold", "waiting", "hourly", "daily"],
  onRequest: ["limits", "sent", "goodDays"],

  async find(ids, operator, wanted) {
    const { admin, call, means } = operator;
    const accounts = [...(await accountsInScope(ids, operator)).values()];
    const isDetailed = ["limits", "sent", "goodDays"].some((name) => wanted.has(name));
    const found = await Promise.all(
      accounts.map(async ({ userId, login }) => {
        const reader = call.services.store.reader(userId, "server");
        const sender = await findSender(reader);
        if (!sender) return undefined;
        const { hold, hourly = null, daily = null } = sender.sending ?? {};
        const shown = isDetailed ? await showStanding(admin, login, means.hasSendingLimits) : undefined;
        return {
          id: accountIdOf(userId),
          login,
          hold: hold ? { at: hold.at, reason: hold.reason, text: hold.text } : null,
          waiting: hold ? await countHeldMail(reader) : 0,
          hourly,
          daily,
          ...(shown && { limits: shown.limits, sent: shown.sent, goodDays: shown.goodDays }),
        };
      }),
    );
    return found.filter((one) => one !== undefined);
  },

  query: {
    filter: object({}),
    async run(_filter, { after, limit }, { call, scope }) {
      const { store, log } = call.services;
      const ids: string[] = [];
      let last = (after === undefined ? undefined : decodeId(idPrefix.account, after)) ?? 0;
      for (let seen = 0; seen < maxLookedAt; ) {
        const rows = await pageOfSenders(store.database, log, { after: last, limit: maxPage });
        const logins = await loginsOf(
          store.database,
          rows.map(({ userId }) => userId),
        );
        for (const { userId, sending } of rows) {
          if (ids.length === limit) return { ids, next: accountIdOf(last) };
          last = userId;
          const { hold, hourly, daily } = sending ?? {};
          const login = logins.get(userId)?.login;
          const isListed = hold !== undefined || hourly !== undefined || daily !== undefined;
          if (isListed && login !== undefined && scope.covers(login)) ids.push(accountIdOf(userId));
        }
        if (rows.length < maxPage) return { ids, next: undefined };
        seen += rows.length;
      }
      return { ids, next: accountIdOf(last) };
    },
  },

  update: {
    schema: update,
    async run(id, { hold, hourly, daily }: schema.Static<typeof update>, operator) {
      const { admin } = operator;
      const { login } = await accountToChange(id, operator);
      if (hourly !== undefined || daily !== undefined) {
        await setSendingLimits(admin, login, {
          ...(hourly !== undefined && { hourly }),
          ...(daily !== undefined && { daily }),
        });
      }
      if (hold === undefined) return null;
      const { deliveries } =
        hold === null
          ? await liftSender(admin, login, { isDryRun: false })
          : await holdSender(admin, login, { reason: hold, isDryRun: false });
      return { deliveries };
    },
  },
};

const maxPage = 200;
