import type { Reader } from "../core/store.ts";
import type { EmailPage, EmailQuery, EmailWindow } from "./criteria.ts";
import { resolveHeaders } from "./header-filter.ts";
import { createList } from "./list.ts";
import { withLongMails } from "./long-mails.ts";
import { conjuncts, normalise } from "./normal.ts";
import { choosePlan, type Known, type Plan } from "./plan.ts";
import { run } from "./run.ts";

/** Longer than any list; the database computes indexes in 32 bits. */
const maxPlace = 1_000_000_000;
const clip = (place: number) => Math.max(Math.min(place, maxPlace), -maxPlace);

/** RFC 8620 §5.5, RFC 8621 §4.4: a window of a list of emails. */
export async function queryEmails(
  reader: Reader,
  query: EmailQuery,
  wanted: EmailWindow,
): Promise<EmailPage | "anchorNotFound"> {
  const window =
    "anchor" in wanted
      ? { ...wanted, anchorOffset: clip(wanted.anchorOffset) }
      : { ...wanted, position: clip(wanted.position) };
  const conditions = conjuncts(await resolveHeaders(reader, normalise(query.filter)));
  if (conditions === undefined) {
    if ("anchor" in window) return "anchorNotFound";
    return { ids: [], position: Math.max(window.position, 0), ...(query.calculateTotal && { total: 0 }) };
  }
  const asked = { window, calculateTotal: query.calculateTotal };
  let list = createList(conditions, query);
  let known: Known = {};
  for (;;) {
    const plan = choosePlan(list, asked, known);
    if (query.calculateTotal || takesAll(plan)) list = await withLongMails(reader, list);
    const outcome = await run(reader, list, plan, asked);
    if (!("learnt" in outcome)) return outcome.page;
    known = { ...known, ...outcome.learnt };
  }
}

/** Whether the plan needs all long mails; a window resolves its own. */
const takesAll = ({ kind }: Plan) => kind !== "windows" && kind !== "count";
