import { showReport } from "../../../admin/reports.ts";
import { pageOfReports, reportsOf } from "../../../store/queues/received-reports.ts";
import { utcDateText } from "../../dates.ts";
import * as schema from "../../schema.ts";
import { domainsOf } from "../accounts.ts";
import type { OperatorType } from "../records.ts";

const { object, oneOf, optional, textUpTo } = schema;

const filter = object({ kind: optional(oneOf("dmarc", "tls")), domain: optional(textUpTo(255)) });
/** After all that have a time. */
const never = new Date("9999-12-31T00:00:00Z");

/** Ours (docs/jmap.md): what another server reports of one of our domains, by DMARC (RFC 9990) or of TLS (RFC 8460). */
export const report: OperatorType = {
  name: "Report",
  properties: ["kind", "domain", "organization", "sender", "begins", "ends", "receivedAt", "passed", "failed"],
  onRequest: ["policy", "rows"],

  async find(ids, { call, scope, admin }, wanted) {
    const rows = (await reportsOf(call.services.store.database, ids)).filter(({ domain }) =>
      scope.coversDomain(domain),
    );
    return Promise.all(
      rows.map(async ({ begins, ends, receivedAt, ...row }) => ({
        ...row,
        begins: utcDateText(begins),
        ends: utcDateText(ends),
        receivedAt: utcDateText(receivedAt),
        ...(wanted.has("rows") && { rows: (await showReport(admin, row.id)).rows.slice(0, maxRows) }),
      })),
    );
  },

  query: {
    filter,
    async run({ kind, domain }: schema.Static<typeof filter>, { after, limit }, { call, scope }) {
      const domains = domainsOf(domain, scope.domains);
      const { database } = call.services.store;
      const [last] = after === undefined ? [] : await reportsOf(database, [after]);
      if (after !== undefined && !last) return { ids: [], next: undefined };
      const from = last ? { at: last.receivedAt, id: last.id } : { at: never, id: "" };
      const rows = await pageOfReports(database, { kind: kind ?? null, domains, ...from, limit: limit + 1 });
      const ids = rows.slice(0, limit).map(({ id }) => id);
      return { ids, next: rows.length > limit ? ids.at(-1) : undefined };
    },
  },
};

/** The largest of a report's rows. */
const maxRows = 200;
