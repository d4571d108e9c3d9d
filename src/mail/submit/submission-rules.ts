import type { Clock, Random } from "../../base/clock.ts";
import type { Database } from "../../store/core/database.ts";
import { servesAny } from "../../store/directory/directory.ts";
import { findSuppressed } from "../../store/queues/suppressions.ts";
import { isOwnAddress } from "./own-address.ts";
import type { SubmissionRules } from "./submit.ts";

/** What an account may send, by EmailSubmission/set and by SMTP alike. `maxSize`: of a message, in octets. */
export function submissionRules(
  accountId: number,
  { database, ...means }: { database: Database; clock: Clock; random: Random; maxSize: number },
): SubmissionRules {
  return {
    owns: (address) => isOwnAddress(database, address, accountId),
    serves: (domain) => servesAny(database, [domain]),
    suppressed: (addresses) => findSuppressed(database, accountId, addresses),
    ...means,
  };
}
