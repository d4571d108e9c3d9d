import { Kind } from "../../store/change.ts";
import { findVacation, type VacationRow, writeVacation } from "../../store/vacation.ts";
import { invalidProperties } from "../errors.ts";
import { capabilities } from "../ids.ts";
import { bool, nullable, textUpTo, utcDate } from "../schema.ts";
import type { DataType, JmapObject } from "../standard/type.ts";

const singleton = "singleton";
const body = nullable(textUpTo(500_000));

const none: VacationRow = {
  isEnabled: false,
  fromDate: null,
  toDate: null,
  subject: null,
  textBody: null,
  htmlBody: null,
};

const utc = (date: Date | null) => date && `${date.toISOString().slice(0, 19)}Z`;
const dateOf = (value: unknown) => (value === null ? null : new Date(value as string));

/** RFC 8621 §8 */
export const vacation = {
  name: "VacationResponse",
  capability: capabilities.vacation,
  prefix: "v",
  singleton,
  properties: {
    isEnabled: { schema: bool, default: false },
    fromDate: { schema: nullable(utcDate), default: null },
    toDate: { schema: nullable(utcDate), default: null },
    subject: { schema: nullable(textUpTo(1000)), default: null },
    textBody: { schema: body, default: null },
    htmlBody: { schema: body, default: null },
  },
  async fetch(ids, _want, call): Promise<JmapObject[]> {
    if (ids && !ids.includes(0)) return [];
    const row = (await findVacation(call.reader)) ?? none;
    return [{ ...row, id: singleton, fromDate: utc(row.fromDate), toDate: utc(row.toDate) }];
  },
  set: {
    needs: ["isEnabled", "fromDate", "toDate", "subject", "textBody", "htmlBody"],
    async check({ updates }) {
      for (const record of updates) {
        const { fromDate, toDate } = record.after as { fromDate: string | null; toDate: string | null };
        if (fromDate && toDate && Date.parse(fromDate) > Date.parse(toDate)) {
          record.error ??= invalidProperties("it ends before it begins", "fromDate", "toDate");
        }
      }
    },
    async update(records, _batch, call) {
      const { fromDate, toDate, ...rest } = records[0]!.after;
      await writeVacation(call.tx, {
        ...(rest as unknown as VacationRow),
        fromDate: dateOf(fromDate),
        toDate: dateOf(toDate),
      });
      call.tx.changed({ type: "VacationResponse", id: 0, kind: Kind.properties });
    },
    // A singleton is never created nor destroyed.
    async create() {},
    async destroy() {},
  },
} satisfies DataType;
