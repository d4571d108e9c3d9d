import { echo } from "./rfc8620/4-echo.ts";
import { capabilities } from "./rfc8621/1.3-capabilities.ts";
import { push } from "./rfc8621/1.5-push.ts";
import { mailboxGet } from "./rfc8621/2.1-mailbox-get.ts";
import { mailboxQuery } from "./rfc8621/2.3-mailbox-query.ts";
import { mailboxTree } from "./rfc8621/2.3-mailbox-tree.ts";
import { mailboxSet } from "./rfc8621/2.5-mailbox-set.ts";
import { mailbox } from "./rfc8621/2-mailbox.ts";
import { mailboxCounts } from "./rfc8621/2-mailbox-counts.ts";
import { thread } from "./rfc8621/3-thread.ts";
import { metadata } from "./rfc8621/4.1.1-metadata.ts";
import { addressForms } from "./rfc8621/4.1.2.3-addresses.ts";
import { headerForms } from "./rfc8621/4.1.2-header-forms.ts";
import { headers } from "./rfc8621/4.1.3-headers.ts";
import { bodyLists } from "./rfc8621/4.1.4-body-lists.ts";
import { bodyParts } from "./rfc8621/4.1.4-body-parts.ts";
import { bodyValues } from "./rfc8621/4.1.4-body-values.ts";
import { emailGet } from "./rfc8621/4.2-email-get.ts";
import { filters } from "./rfc8621/4.4.1-filters.ts";
import { textFilters } from "./rfc8621/4.4.1-text.ts";
import { threadFilters } from "./rfc8621/4.4.1-thread-filters.ts";
import { sorting } from "./rfc8621/4.4.2-sort.ts";
import { collapsing } from "./rfc8621/4.4.3-collapse.ts";
import { queryChanges } from "./rfc8621/4.5-querychanges.ts";
import { emailCreate } from "./rfc8621/4.6-create.ts";
import { createBodies } from "./rfc8621/4.6-create-body.ts";
import { createRefused } from "./rfc8621/4.6-create-refused.ts";
import { emailUpdate } from "./rfc8621/4.6-update.ts";
import { emailCopy } from "./rfc8621/4.7-copy.ts";
import { emailImport } from "./rfc8621/4.8-import.ts";
import { emailParse } from "./rfc8621/4.9-parse.ts";
import type { Test } from "./runner/define.ts";

/** Every test of the suite; a file of tests that is not named here does not run. */
export const tests: readonly Test[] = [
  ...echo,
  ...capabilities,
  ...mailbox,
  ...mailboxCounts,
  ...mailboxGet,
  ...mailboxQuery,
  ...mailboxTree,
  ...mailboxSet,
  ...push,
  ...thread,
  ...metadata,
  ...headerForms,
  ...addressForms,
  ...headers,
  ...bodyLists,
  ...bodyParts,
  ...bodyValues,
  ...emailGet,
  ...filters,
  ...textFilters,
  ...sorting,
  ...collapsing,
  ...queryChanges,
  ...createBodies,
  ...createRefused,
  ...emailCreate,
  ...emailUpdate,
  ...threadFilters,
  ...emailCopy,
  ...emailImport,
  ...emailParse,
];
