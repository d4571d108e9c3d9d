import { Kind } from "../../store/change.ts";
import { findVacation, type VacationRow, writeVacation } from "../../store/vacation.ts";
import { instant, utcDateText } from "../dates.ts";
import { capabilities } from "../ids.ts";
import { bool, nullable, type Schema, utcDate } from "../schema.ts";
import type { DataType, JmapObject, SetHooks } from "../standard/type.ts";

const id = "singleton";

/** The database takes no NUL. */
const textUpTo = (maxLength: number): Schema<string> => ({
  json: { type: "string", maxLength, pattern: "^[^\\u0000]*$" },
});

const properties = {
  isEnabled: { schema: bool, default: false },
  fromDate: { schema: nullable(utcDate), default: null },
  toDate: { schema: nullable(utcDate), default: null },
  subject: { schema: nullable(textUpTo(1000)), default: null },
  textBody: { schema: nullable(textUpTo(500_000)), default: null },
  htmlBody: { schema: nullable(textUpTo(500_000)), default: null },
} satisfies DataType["properties"];

const vacationSet: SetHooks = {
  needs: Object.keys(properties),

  async update([record], _batch, call) {
    const row = toRow(record!.after);
    await writeVacation(call.tx, row);
    // What is stored of a date may be written otherwise, as for a leap second.
    const shown = toObject(row);
    for (const name of ["fromDate", "toDate"]) {
      if (shown[name] !== record!.after[name]) record!.response[name] = shown[name];
    }
    call.tx.changed({ type: "VacationResponse", id: 0, kind: Kind.properties });
  },

  // A singleton is neither made nor destroyed: such records never come here.
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
  return { ...row, id, fromDate: fromDate && utcDateText(fromDate), toDate: toDate && utcDateText(toDate) };
}

/** RFC 8621 §8 */
export const vacationResponse = {
  name: "VacationResponse",
  capability: capabilities.vacation,
  prefix: "",
  singleton: id,
  properties,
  fetch: async (_ids, _want, call) => [toObject(await findVacation(call.reader))],
  set: vacationSet,
} satisfies DataType;
