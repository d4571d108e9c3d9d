import { instant } from "../../base/instant.ts";
import { findVacation, forgetAnswers, type VacationRow, writeVacation } from "../../store/mail/vacation.ts";
import { capabilities } from "../capability-names.ts";
import { utcDateText } from "../dates.ts";
import { invalidProperties } from "../errors.ts";
import { bool, lineUpTo, nullable, storableUpTo, utcDate } from "../schema.ts";
import { refuse } from "../standard/faults.ts";
import type { DataType, JmapObject, SetHooks } from "../standard/type.ts";

const singleton = "singleton";

const properties = {
  isEnabled: { schema: bool, default: false },
  fromDate: { schema: nullable(utcDate), default: null },
  toDate: { schema: nullable(utcDate), default: null },
  subject: { schema: nullable(lineUpTo(1000)), default: null },
  textBody: { schema: nullable(storableUpTo(500_000)), default: null },
  htmlBody: { schema: nullable(storableUpTo(500_000)), default: null },
} satisfies DataType["properties"];

const none: VacationRow = {
  isEnabled: false,
  fromDate: null,
  toDate: null,
  subject: null,
  textBody: null,
  htmlBody: null,
};

const vacationSet: SetHooks = {
  needs: Object.keys(properties),

  async check({ updates, refused }) {
    for (const record of [...updates, ...refused.updates]) {
      const { fromDate, toDate } = toRow(record.after);
      if (fromDate && toDate && fromDate > toDate) {
        refuse(record, invalidProperties("toDate is before fromDate", "fromDate", "toDate"));
      }
    }
  },

  async update([record], _batch, call) {
    const { after, changed, response } = record!;
    const row = toRow(after);
    await writeVacation(call.tx, row);
    // Whoever was sent the old text may be sent the new one (RFC 5230 §4.2).
    if (["subject", "textBody", "htmlBody"].some((name) => changed.has(name)))
      await forgetAnswers(call.tx, call.tx.now);
    // The stored date may be written differently, for example a leap second.
    const shown = toObject(row);
    for (const name of ["fromDate", "toDate"]) if (shown[name] !== after[name]) response[name] = shown[name];
  },

  // A singleton is neither created nor destroyed, so these get no records.
  async create() {},
  async destroy() {},
};

function toRow(object: JmapObject): VacationRow {
  const { fromDate, toDate } = object as Record<string, string | null>;
  return {
    ...(object as unknown as VacationRow),
    fromDate: fromDate == null ? null : instant(fromDate),
    toDate: toDate == null ? null : instant(toDate),
  };
}

function toObject({ fromDate, toDate, ...row }: VacationRow): JmapObject {
  const dates = { fromDate: fromDate && utcDateText(fromDate), toDate: toDate && utcDateText(toDate) };
  return { ...row, id: singleton, ...dates };
}

/** RFC 8621 §8 */
export const vacation = {
  name: "VacationResponse",
  capability: capabilities.vacation,
  prefix: "v",
  singleton,
  properties,
  fetch: async (_ids, _want, call) => [toObject((await findVacation(call.reader)) ?? none)],
  set: vacationSet,
} satisfies DataType;
