import { addOperator, listOperators, type Role, removeOperator } from "../admin/operators.ts";
import type { Context } from "./command.ts";
import { say, table } from "./prompt.ts";

const reach = (domains: readonly string[] | null) => (domains === null ? "all" : domains.join(", "));

export async function add({ admin, options }: Context, account: string): Promise<void> {
  const { role, domain = [], json } = options as { role: Role; domain?: string[]; json?: true };
  const made = await addOperator(admin, account, { role, domains: domain });
  if (json) return say(JSON.stringify(made, null, 2));
  say(`${made.login} is ${role}, for the domains: ${reach(made.domains)}.`);
  say("Its password alone opens nothing from now on: without a second factor, the next sign-in sets one up first.");
}

export async function list({ admin, options }: Context): Promise<void> {
  const operators = await listOperators(admin);
  if (options.json) return say(JSON.stringify(operators, null, 2));
  if (operators.length === 0) return say('There is no operator yet: "posthorn operator add ADDRESS" makes one.');
  const cells = operators.map(({ login, role, domains, createdAt }) => [
    login,
    role,
    reach(domains),
    createdAt.toISOString(),
  ]);
  say(table([["ACCOUNT", "ROLE", "DOMAINS", "SINCE"], ...cells]));
}

export async function remove({ admin, options }: Context, account: string): Promise<void> {
  const login = await removeOperator(admin, account);
  if (options.json) return say(JSON.stringify({ login }, null, 2));
  say(`${login} is no operator any more.`);
}
