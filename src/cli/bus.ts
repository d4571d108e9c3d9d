import type { Log } from "../base/log.ts";
import { ProcessBus } from "../push/bus.ts";
import { PostgresCarrier } from "../push/postgres.ts";
import type { Store } from "../store/core/store.ts";

/** Creates the bus between the processes of a database, and publishes the store's commits on it. A standby carries nothing. */
export function createBus(store: Store, log: Log): ProcessBus {
  const { database } = store;
  const carriers = database.isReadOnly ? [] : [new PostgresCarrier({ database, log })];
  const bus = new ProcessBus({ store, log, carriers });
  store.onCommit = (change) => bus.publish(change);
  return bus;
}
