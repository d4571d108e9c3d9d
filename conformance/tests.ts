import { types } from "./rfc8620/1-types.ts";
import { sessionTests } from "./rfc8620/2-session.ts";
import { requestErrors } from "./rfc8620/3.6.1-request-errors.ts";
import { methodErrors } from "./rfc8620/3.6.2-method-errors.ts";
import { references } from "./rfc8620/3.7-references.ts";
import { request } from "./rfc8620/3-request.ts";
import { echo } from "./rfc8620/4-echo.ts";
import { get } from "./rfc8620/5.1-get.ts";
import { changes } from "./rfc8620/5.2-changes.ts";
import { creationIds } from "./rfc8620/5.3-creation-ids.ts";
import { patch } from "./rfc8620/5.3-patch.ts";
import { set } from "./rfc8620/5.3-set.ts";
import { copyTests } from "./rfc8620/5.4-copy.ts";
import { filterSort } from "./rfc8620/5.5-filter-sort.ts";
import { query } from "./rfc8620/5.5-query.ts";
import { queryChanges } from "./rfc8620/5.6-query-changes.ts";
import { download } from "./rfc8620/6-download.ts";
import { upload } from "./rfc8620/6-upload.ts";
import { push } from "./rfc8620/7.2-push.ts";
import { pushSubscription } from "./rfc8620/7.2-push-subscription.ts";
import { eventSource } from "./rfc8620/7.3-event-source.ts";
import { tls } from "./rfc8620/8-tls.ts";
import { capabilities } from "./rfc8621/1.3-capabilities.ts";
import { mailPush } from "./rfc8621/1.5-push.ts";
import { mailboxGet } from "./rfc8621/2.1-mailbox-get.ts";
import { mailboxQuery } from "./rfc8621/2.3-mailbox-query.ts";
import { mailboxTree } from "./rfc8621/2.3-mailbox-tree.ts";
import { mailboxSet } from "./rfc8621/2.5-mailbox-set.ts";
import { mailbox } from "./rfc8621/2-mailbox.ts";
import { mailboxCounts } from "./rfc8621/2-mailbox-counts.ts";
import { thread } from "./rfc8621/3-thread.ts";
import { threadPairs } from "./rfc8621/3-thread-pairs.ts";
import { metadata } from "./rfc8621/4.1.1-metadata.ts";
import { addressForms } from "./rfc8621/4.1.2.3-addresses.ts";
import { headerForms } from "./rfc8621/4.1.2-header-forms.ts";
import { headers } from "./rfc8621/4.1.3-headers.ts";
import { bodyLists } from "./rfc8621/4.1.4-body-lists.ts";
import { bodyParts } from "./rfc8621/4.1.4-body-parts.ts";
import { bodyValues } from "./rfc8621/4.1.4-body-values.ts";
import { mimeStructure } from "./rfc8621/4.1.4-mime.ts";
import { reading } from "./rfc8621/4.1.4-reading.ts";
import { emailGet } from "./rfc8621/4.2-email-get.ts";
import { everywhereFilters } from "./rfc8621/4.4.1-everywhere.ts";
import { filters } from "./rfc8621/4.4.1-filters.ts";
import { languageFilters } from "./rfc8621/4.4.1-languages.ts";
import { textFilters } from "./rfc8621/4.4.1-text.ts";
import { threadFilters } from "./rfc8621/4.4.1-thread-filters.ts";
import { sorting } from "./rfc8621/4.4.2-sort.ts";
import { collapsing } from "./rfc8621/4.4.3-collapse.ts";
import { emailQueryChanges } from "./rfc8621/4.5-querychanges.ts";
import { emailCreate } from "./rfc8621/4.6-create.ts";
import { createBodies } from "./rfc8621/4.6-create-body.ts";
import { createRefused } from "./rfc8621/4.6-create-refused.ts";
import { emailUpdate } from "./rfc8621/4.6-update.ts";
import { emailCopy } from "./rfc8621/4.7-copy.ts";
import { emailImport } from "./rfc8621/4.8-import.ts";
import { emailParse } from "./rfc8621/4.9-parse.ts";
import { searchSnippet } from "./rfc8621/5-snippet.ts";
import { identity } from "./rfc8621/6-identity.ts";
import { submissionSuccess } from "./rfc8621/7.5-on-success.ts";
import { submissionSet } from "./rfc8621/7.5-submission-set.ts";
import { emailSubmission } from "./rfc8621/7-submission.ts";
import { vacationResponse } from "./rfc8621/8-vacation.ts";
import { vacationSending } from "./rfc8621/8-vacation-sending.ts";
import { webSocketTests } from "./rfc8887/websocket.ts";
import { mdns } from "./rfc9007/mdn.ts";
import { blobs } from "./rfc9404/blob.ts";
import { quotas } from "./rfc9425/quota.ts";
import { vapidTests } from "./rfc9749/vapid.ts";
import type { Test } from "./runner/define.ts";

/** Every test of the suite; a file that is not listed here does not run. */
export const tests: readonly Test[] = [
  ...types,
  ...sessionTests,
  ...request,
  ...requestErrors,
  ...methodErrors,
  ...references,
  ...echo,
  ...get,
  ...changes,
  ...set,
  ...patch,
  ...creationIds,
  ...copyTests,
  ...query,
  ...filterSort,
  ...queryChanges,
  ...upload,
  ...download,
  ...pushSubscription,
  ...push,
  ...eventSource,
  ...tls,
  ...webSocketTests,
  ...mdns,
  ...blobs,
  ...quotas,
  ...vapidTests,
  ...capabilities,
  ...mailPush,
  ...mailboxCounts,
  ...mailbox,
  ...mailboxGet,
  ...mailboxQuery,
  ...mailboxTree,
  ...mailboxSet,
  ...thread,
  ...threadPairs,
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
  ...everywhereFilters,
  ...languageFilters,
  ...threadFilters,
  ...sorting,
  ...collapsing,
  ...emailQueryChanges,
  ...createBodies,
  ...createRefused,
  ...emailCreate,
  ...emailUpdate,
  ...emailCopy,
  ...emailImport,
  ...emailParse,
  ...searchSnippet,
  ...identity,
  ...emailSubmission,
  ...submissionSuccess,
  ...submissionSet,
  ...vacationResponse,
  ...vacationSending,
  ...mimeStructure,
  ...reading,
];
