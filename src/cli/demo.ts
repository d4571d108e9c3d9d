import { randomPassword } from "../auth/secrets.ts";
import type { Random } from "../base/clock.ts";
import type { Config } from "../config/schema.ts";
import type { Store } from "../store/core/store.ts";
import { listDomains } from "../store/directory/directory.ts";
import { provision } from "./account.ts";

export interface DemoAccount {
  address: string;
  password: string;
  userId: number;
}

const demoDomain = "posthorn.test";

/** On a first start, something to try the server with: two accounts with random passwords. */
export async function makeDemo(store: Store, config: Config, random: Random): Promise<DemoAccount[]> {
  if (!config.demo || (await listDomains(store.database)).length > 0) return [];
  const accounts: DemoAccount[] = [];
  for (const name of ["alice", "bob"]) {
    const address = `${name}@${demoDomain}`;
    const password = randomPassword(random);
    const { userId } = await provision(store, { address, password, quota: config.defaultQuota });
    accounts.push({ address, password, userId });
  }
  return accounts;
}
