import type { Log } from "../base/log.ts";
import { type Config, schema } from "../config/schema.ts";
import { showAddress } from "../config/values.ts";

/** Whether the address is the usual one: an update must not keep a server from its start because another program has it. */
export const isUsualOperatorsDoor = ({ operator }: Pick<Config, "operator">): boolean =>
  operator !== undefined && showAddress(operator) === schema.operator.default;

/** Undefined, with a warning, if another program has the usual address. */
export async function unlessTaken<T>(config: Config, log: Log, open: () => Promise<T>): Promise<T | undefined> {
  try {
    return await open();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE" || !isUsualOperatorsDoor(config)) throw error;
    log.warn(
      { address: schema.operator.default, option: "--operator" },
      "another program has the usual address of the operators' page: it is not served; the option names another",
    );
    return undefined;
  }
}
