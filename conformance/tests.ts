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
import { webSocketTests } from "./rfc8887/websocket.ts";
import type { Test } from "./runner/define.ts";

/** Every test of the suite; a file of tests that is not named here does not run. */
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
];
