import type { AccountAccess } from "../auth/login.ts";
import { minPasswordLength } from "../auth/password-rules.ts";
import { maxLabelLength, maxMaskedAddresses } from "../mail/masked/create.ts";
import { maxDelayedSend } from "../mail/submit/submit-parameters.ts";
import { maxAppPasswords } from "./app-password/type.ts";
import { digests } from "./blob/get.ts";
import { lookupTypes } from "./blob/lookup.ts";
import { maxDataSources } from "./blob/sources.ts";
import { capabilities } from "./capability-names.ts";
import { emailLimits } from "./email/places.ts";
import { maxMailboxDepth, maxSizeMailboxName } from "./mailbox/check.ts";
import type { Limits } from "./method.ts";
import { collations } from "./standard/filter.ts";

/** RFC 8620 §2 */
export function coreCapability(limits: Limits): object {
  const { maxObjectsInQuery: _, ...told } = limits;
  return { ...told, collationAlgorithms: collations };
}

/** Of a login, not of an account: it is in the session's own capabilities alone. */
export const accountCapability = { maxAppPasswords, minPasswordLength };

/** The ESMTP extensions whose parameters an envelope may use. */
const submissionExtensions = {
  FUTURERELEASE: [`${maxDelayedSend}`],
  REQUIRETLS: [],
  DSN: [],
  SIZE: [],
  "8BITMIME": [],
  SMTPUTF8: [],
};

type AccountCapability = (account: AccountAccess, limits: Limits) => object;

/** RFC 8621 §1.3: capability → its value for an account. The session leaves out capabilities that have no methods. */
export const accountCapabilities: Record<string, AccountCapability> = {
  [capabilities.mail]: (account) => ({
    maxMailboxesPerEmail: emailLimits.maxMailboxes,
    maxMailboxDepth,
    maxSizeMailboxName,
    maxSizeAttachmentsPerEmail: emailLimits.maxSizeAttachments,
    emailQuerySortOptions: [
      "receivedAt",
      "sentAt",
      "size",
      "from",
      "to",
      "subject",
      "hasKeyword",
      "allInThreadHaveKeyword",
      "someInThreadHaveKeyword",
    ],
    mayCreateTopLevelMailbox: !account.isReadOnly,
  }),
  [capabilities.submission]: () => ({ maxDelayedSend, submissionExtensions }),
  [capabilities.vacation]: () => ({}),
  [capabilities.quota]: () => ({}),
  [capabilities.blob]: (_, { maxSizeUpload }) => ({
    maxSizeBlobSet: maxSizeUpload,
    maxDataSources,
    supportedTypeNames: lookupTypes,
    supportedDigestAlgorithms: Object.keys(digests),
  }),
  [capabilities.mdn]: () => ({}),
  [capabilities.scan]: () => ({}),
  [capabilities.authentication]: () => ({}),
  [capabilities.suppression]: () => ({}),
  [capabilities.unsubscribe]: () => ({}),
  [capabilities.undelete]: () => ({}),
  [capabilities.dataExport]: () => ({}),
  [capabilities.maskedAddresses]: () => ({ maxMaskedAddresses, maxSizeLabel: maxLabelLength }),
};
