import type { Authenticator, Login, Refused } from "../auth/login.ts";
import type { Store } from "../store/core/store.ts";
import { mayOperate, type Operator } from "./operators.ts";

/**
 * Verifies credentials at the operators' door: of operators alone, whose logins open no account there. Whether a login may
 * operate is looked up each time, so what is taken from an operator ends at once.
 */
export class OperatorsDoor implements Pick<Authenticator, "authenticate"> {
  readonly #authenticator: Pick<Authenticator, "authenticate">;
  readonly #store: Store;
  /** The same object for the same login and role, since others remember what they made for it. */
  readonly #known = new WeakMap<Login, { role: string; login: Login }>();
  readonly #operators = new WeakMap<Login, Operator>();

  constructor(authenticator: Pick<Authenticator, "authenticate">, store: Store) {
    this.#authenticator = authenticator;
    this.#store = store;
  }

  readonly authenticate = async (
    header: string | undefined,
    remoteAddress: string | undefined,
  ): Promise<Login | Refused | undefined> => {
    const login = await this.#authenticator.authenticate(header, remoteAddress);
    if (typeof login !== "object") return login;
    const operator = await mayOperate(this.#store, login);
    return typeof operator === "object" ? this.#as(login, operator) : operator;
  };

  /** What a login of this door may do. */
  readonly operatorOf = (login: Login): Operator => {
    const operator = this.#operators.get(login);
    if (!operator) throw new Error("a login that did not come by the operators' door");
    return operator;
  };

  #as(login: Login, operator: Operator): Login {
    const role = JSON.stringify(operator);
    const known = this.#known.get(login);
    if (known?.role === role) return known.login;
    const made = { ...login, accounts: [] };
    this.#known.set(login, { role, login: made });
    this.#operators.set(made, operator);
    return made;
  }
}
