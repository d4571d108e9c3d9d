import { deleteFromQuarantine, headerInQuarantine, releaseFromQuarantine } from "../../../admin/quarantine.ts";
import { decodeId, encodeId, idPrefix } from "../../../base/ids.ts";
import { pageOfQuarantine, type Quarantined, quarantinedOf } from "../../../store/queues/quarantine.ts";
import { utcDateText } from "../../dates.ts";
import { SetError } from "../../errors.ts";
import * as schema from "../../schema.ts";
import type { Acting } from "../means.ts";
import type { OperatorType } from "../records.ts";
import type { Scope } from "../scope.ts";
import { each } from "../sweep.ts";

const { exactly, object, oneOf, optional, textUpTo } = schema;
const idOf = ({ id }: Quarantined) => encodeId(idPrefix.incoming, id);
const numberOf = (id: string) => decodeId(idPrefix.incoming, id);

/** So many are looked at for a page of a domain's own. */
const maxLookedAt = 2_000;
const update = object({ isReleased: exactly(true) });
/** In the name of the virus, or the sender's address. */
const filter = object({ contains: optional(textUpTo(320)) });

/** Ours (docs/jmap.md): an infected message that is kept from its recipients. It is never shown whole. */
export const quarantined: OperatorType = {
  name: "Quarantined",
  properties: ["createdAt", "size", "mailFrom", "recipients", "virus", "junkReason"],
  onRequest: ["header"],

  async find(ids, { call, scope }, wanted) {
    const { store, blobs } = call.services;
    const rows = await quarantinedOf(
      store.database,
      ids.flatMap((id) => numberOf(id) ?? []),
    );
    const own = rows.filter((row) => concerns(row, scope));
    return Promise.all(
      own.map(async (row) => ({
        id: idOf(row),
        createdAt: utcDateText(row.createdAt),
        size: row.size,
        mailFrom: row.mailFrom,
        recipients: addressesOf(row).filter((address) => scope.covers(address)),
        virus: row.virus,
        junkReason: row.junkReason,
        ...(wanted.has("header") && { header: await headerInQuarantine(blobs, row) }),
      })),
    );
  },

  query: {
    filter,
    async run({ contains = "" }: schema.Static<typeof filter>, { after, limit }, { call, scope }) {
      const sought = contains.trim().toLowerCase();
      const { database } = call.services.store;
      let before = (after === undefined ? undefined : numberOf(after)) ?? Number.MAX_SAFE_INTEGER;
      const found: Quarantined[] = [];
      for (let seen = 0; seen < maxLookedAt; ) {
        const rows = await pageOfQuarantine(database, before, limit + 1);
        for (const row of rows) {
          if (found.length === limit) break;
          before = row.id;
          if (concerns(row, scope) && says(row, sought)) found.push(row);
        }
        seen += rows.length;
        if (rows.length <= limit && before === rows.at(-1)?.id) return { ids: found.map(idOf), next: undefined };
        if (rows.length === 0) return { ids: found.map(idOf), next: undefined };
        if (found.length === limit) break;
      }
      return { ids: found.map(idOf), next: encodeId(idPrefix.incoming, before) };
    },
  },

  sweep: {
    name: "decide",
    args: { act: oneOf("release", "delete") },
    limit: 50,
    async run(ids, given, operator) {
      const { act } = given.args as { act: "release" | "delete" };
      const decide = act === "release" ? releaseFromQuarantine : deleteFromQuarantine;
      return each(ids, given, {
        may: (id) => mayDecide(id, operator),
        act: (id) => decide(operator.admin, id),
      });
    },
  },

  update: {
    schema: update,
    async run(id, _patch, operator) {
      await mayDecide(id, operator);
      await releaseFromQuarantine(operator.admin, id);
      return null;
    },
  },

  destroy: {
    async run(id, operator) {
      await mayDecide(id, operator);
      await deleteFromQuarantine(operator.admin, id);
    },
  },
};

const says = ({ virus, mailFrom }: Quarantined, sought: string) =>
  virus.toLowerCase().includes(sought) || mailFrom.toLowerCase().includes(sought);
const addressesOf = ({ recipients }: Quarantined) => recipients.map(({ address }) => address);
const concerns = (row: Quarantined, scope: Scope) =>
  scope.isForAll || addressesOf(row).some((address) => scope.covers(address));

/** What is done is done for all its recipients, so all must be the operator's. */
async function mayDecide(id: string, { call, scope }: Acting): Promise<void> {
  const number = numberOf(id);
  const [row] = number === undefined ? [] : await quarantinedOf(call.services.store.database, [number]);
  if (!row || !concerns(row, scope)) throw new SetError("notFound");
  for (const address of addressesOf(row)) scope.mustCover(address);
}
