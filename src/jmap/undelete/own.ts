import { MethodError } from "../errors.ts";
import type { Call } from "../method.ts";

/** Whoever shares an account does not see what its owner has thrown away. */
export function mustBeOwner({ login, accountId }: Pick<Call, "login" | "accountId">): void {
  if (login.userId !== accountId)
    throw new MethodError("forbidden", "only the account's owner sees what was destroyed");
}
