import { normalizeAddress } from "../../base/address.ts";
import { unsuppress } from "../../store/queues/suppressions.ts";
import { capabilities } from "../capability-names.ts";
import { writeMethod } from "../method.ts";
import { id, list, object, textUpTo } from "../schema.ts";

const maxLifted = 1000;

/**
 * An extension of this server (docs/jmap.md): lets mail go to these addresses again, until they bounce once more. Those that
 * were not on the account's list, or are on that of the operator, are returned in `notLifted`.
 */
export const suppressedAddressLift = writeMethod({
  name: "SuppressedAddress/lift",
  capability: capabilities.suppression,
  args: object({ accountId: id, addresses: list(textUpTo(1000), { maxItems: maxLifted }) }),
  async run({ accountId, addresses }, call) {
    const known = addresses.flatMap((address) => normalizeAddress(address) ?? []);
    const gone = new Set(await unsuppress(call.tx, call.accountId, known));
    const isGone = (address: string) => gone.has(normalizeAddress(address) ?? "");
    const lifted = addresses.filter(isGone);
    return { response: { accountId, lifted, notLifted: addresses.filter((address) => !isGone(address)) } };
  },
});
