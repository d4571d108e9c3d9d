import { core, type Json, vacation } from "../client/types.ts";
import type { TestContext } from "../runner/context.ts";
import type { Group } from "../runner/define.ts";
import { update } from "./support.ts";

/** What the tests of VacationResponse share. */
export type Vacation = Json & { id: string; isEnabled: boolean };

export function vacationGroup(section: string, title: string): Group {
  return { rfc: "rfc8621", section, title, requires: [core, vacation] };
}

export const settable = ["isEnabled", "fromDate", "toDate", "subject", "textBody", "htmlBody"];

/** There is only one, which is put back as it was. */
export async function singleton(t: TestContext): Promise<Vacation> {
  const found = await t.find<Vacation>("VacationResponse", "singleton");
  const before = Object.fromEntries(settable.map((name) => [name, found[name]]));
  t.defer(() => t.set("VacationResponse", { update: { singleton: before } }));
  return found;
}

export async function set(t: TestContext, patch: Json): Promise<void> {
  await update(t, "VacationResponse", "singleton", patch);
}
