import { randomBytes } from "node:crypto";
import type { Admin } from "../../src/admin/admin.ts";
import { silentLog } from "../../src/base/log.ts";
import type { BusEvent } from "../../src/push/carrier.ts";
import type { Store } from "../../src/store/core/store.ts";

/** An operator whose announcements are pushed to `announced`. */
export function testAdmin(store: Store, announced: BusEvent[] = []): Admin {
  const bus = { publish: (event: BusEvent) => void announced.push(event) };
  return { store, bus, random: randomBytes, log: silentLog, who: "test" };
}
