import { appPasswordGet } from "./app-password/get.ts";
import { appPasswordSet } from "./app-password/set.ts";
import { blobGet } from "./blob/get.ts";
import { blobLookup } from "./blob/lookup.ts";
import { blobUpload } from "./blob/upload.ts";
import { blobCopy } from "./core/blob-copy.ts";
import { coreEcho } from "./core/echo.ts";
import { dataExport } from "./data-export/type.ts";
import { emailImport } from "./email/import.ts";
import { emailParse } from "./email/parse.ts";
import { email } from "./email/type.ts";
import { identity } from "./identity/type.ts";
import { mailbox } from "./mailbox/type.ts";
import { maskedAddress } from "./masked-address/type.ts";
import { mdnParse } from "./mdn/parse.ts";
import { mdnSend } from "./mdn/send.ts";
import type { Method } from "./method.ts";
import { passwordSet } from "./password/set.ts";
import { pushSubscriptionGet } from "./push-subscription/get.ts";
import { pushSubscriptionSet } from "./push-subscription/set.ts";
import { quota } from "./quota/type.ts";
import { searchSnippetGet } from "./search-snippet/get.ts";
import { secondFactorGet } from "./second-factor/get.ts";
import { signInGet } from "./sign-in/get.ts";
import { signInSet } from "./sign-in/set.ts";
import { changesMethod } from "./standard/changes.ts";
import { copyMethod } from "./standard/copy.ts";
import { getMethod } from "./standard/get.ts";
import { queryChangesMethod, queryMethod } from "./standard/query.ts";
import { setMethod } from "./standard/set.ts";
import { submission } from "./submission/type.ts";
import { suppressedAddressLift } from "./suppression/lift.ts";
import { suppressedAddressList } from "./suppression/list.ts";
import { thread } from "./thread/type.ts";
import { deletedEmailList } from "./undelete/list.ts";
import { deletedEmailRestore } from "./undelete/restore.ts";
import { unsubscribePost } from "./unsubscribe/post.ts";
import { vacation } from "./vacation/type.ts";

/** All methods of the server. */
export const methods: readonly Method[] = [
  coreEcho,
  blobCopy,
  pushSubscriptionGet,
  pushSubscriptionSet,
  getMethod(mailbox),
  changesMethod(mailbox),
  queryMethod(mailbox),
  queryChangesMethod(mailbox),
  setMethod(mailbox),
  getMethod(thread),
  changesMethod(thread),
  getMethod(email),
  changesMethod(email),
  queryMethod(email),
  queryChangesMethod(email),
  setMethod(email),
  copyMethod(email),
  emailImport,
  emailParse,
  searchSnippetGet(email),
  getMethod(identity),
  changesMethod(identity),
  setMethod(identity),
  getMethod(submission),
  changesMethod(submission),
  queryMethod(submission),
  queryChangesMethod(submission),
  setMethod(submission),
  suppressedAddressList,
  suppressedAddressLift,
  unsubscribePost,
  deletedEmailList,
  deletedEmailRestore,
  getMethod(maskedAddress),
  changesMethod(maskedAddress),
  setMethod(maskedAddress),
  getMethod(dataExport),
  changesMethod(dataExport),
  setMethod(dataExport),
  getMethod(quota),
  changesMethod(quota),
  queryMethod(quota),
  queryChangesMethod(quota),
  blobUpload,
  blobGet,
  blobLookup,
  mdnSend,
  mdnParse,
  getMethod(vacation),
  setMethod(vacation),
  appPasswordGet,
  appPasswordSet,
  signInGet,
  signInSet,
  passwordSet,
  secondFactorGet,
];
