import { pushIdPrefix } from "../push/webpush/messages.ts";

/** The first letter of each type's ids. Blob ids start with "b": see src/store/blobs/blob-id.ts. */
export const idPrefix = {
  account: "u",
  mailbox: "m",
  thread: "t",
  email: "e",
  identity: "i",
  submission: "s",
  quota: "q",
  pushSubscription: pushIdPrefix,
} as const;

export const capabilities = {
  core: "urn:ietf:params:jmap:core",
  mail: "urn:ietf:params:jmap:mail",
  submission: "urn:ietf:params:jmap:submission",
  vacation: "urn:ietf:params:jmap:vacationresponse",
  quota: "urn:ietf:params:jmap:quota",
  blob: "urn:ietf:params:jmap:blob",
  mdn: "urn:ietf:params:jmap:mdn",
  websocket: "urn:ietf:params:jmap:websocket",
  webPushVapid: "urn:ietf:params:jmap:webpush-vapid",
} as const;
