import { listSuppressions } from "../../store/queues/suppressions.ts";
import { capabilities } from "../capability-names.ts";
import { utcDateText } from "../dates.ts";
import { readMethod } from "../method.ts";
import { id, object } from "../schema.ts";

/** Like the most recipients of a mail; the newest are listed. */
const maxListed = 1000;

/** An extension of this server (docs/jmap.md): the addresses that have bounced for good and get no mail from the account. */
export const suppressedAddressList = readMethod({
  name: "SuppressedAddress/list",
  capability: capabilities.suppression,
  args: object({ accountId: id }),
  async run({ accountId }, call) {
    const rows = await listSuppressions(call.reader, call.accountId, maxListed);
    const list = rows.map(({ address, reason, since }) => ({ address, reason, since: utcDateText(since) }));
    return { response: { accountId, list } };
  },
});
