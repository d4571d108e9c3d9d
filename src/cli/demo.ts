import { addAccount } from "../admin/accounts.ts";
import { listDomains } from "../admin/domains.ts";
import { randomPassword } from "../auth/secrets.ts";
import type { Config } from "../config/schema.ts";
import type { Parts } from "./parts.ts";

export interface DemoAccount {
  address: string;
  password: string;
  userId: number;
}

const demoDomain = "posthorn.test";

/** Adds two demo accounts with random passwords on the first start. */
export async function makeDemo(
  { store, bus, surroundings }: Pick<Parts, "store" | "bus" | "surroundings">,
  config: Config,
): Promise<DemoAccount[]> {
  const { random, log } = surroundings;
  const admin = { store, bus, random, log, who: "serve" };
  if (!config.demo || config.readOnly || (await listDomains(admin)).length > 0) return [];
  const accounts: DemoAccount[] = [];
  for (const name of ["alice", "bob"]) {
    const address = `${name}@${demoDomain}`;
    const password = randomPassword(random);
    const { userId } = await addAccount(admin, { address, name: "", password, quota: config.defaultQuota });
    accounts.push({ address, password, userId });
  }
  return accounts;
}
