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
];
