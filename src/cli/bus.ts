import type { Log } from "../base/log.ts";
import { ProcessBus } from "../push/bus.ts";
import type { Carrier } from "../push/carrier.ts";
import { PostgresCarrier } from "../push/postgres.ts";
import type { Store } from "../store/core/store.ts";

interface BusOptions {
  store: Store;
  log: Log;
  /** Carries events instead of the database. Revocations go both ways, so that they arrive though one is away. */
  carrier?: Carrier | undefined;
}

/** What carries events between the processes of an installation. A standby of the database carries nothing. */
export function carriersOf({ store, log, carrier }: BusOptions): Carrier[] {
  const { database } = store;
  const own = carrier ? [carrier] : [];
  if (database.isReadOnly) return own;
  return [...own, new PostgresCarrier({ database, log, isForRevocations: carrier !== undefined })];
}

/** Creates the bus between the processes of an installation, and publishes the store's commits on it. */
export function createBus(options: BusOptions): ProcessBus {
  const { store, log } = options;
  const bus = new ProcessBus({ store, log, carriers: carriersOf(options) });
  store.onCommit = (change) => bus.publish(change);
  return bus;
}
