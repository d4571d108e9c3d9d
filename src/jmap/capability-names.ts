export const capabilities = {
  core: "urn:ietf:params:jmap:core",
  mail: "urn:ietf:params:jmap:mail",
  submission: "urn:ietf:params:jmap:submission",
  vacation: "urn:ietf:params:jmap:vacationresponse",
  quota: "urn:ietf:params:jmap:quota",
  blob: "urn:ietf:params:jmap:blob",
  mdn: "urn:ietf:params:jmap:mdn",
  websocket: "urn:ietf:params:jmap:websocket",
  /** Of Posthorn itself: what scanning found of an Email (docs/jmap.md). */
  scan: "https://posthorn.example/jmap/scan",
  webPushVapid: "urn:ietf:params:jmap:webpush-vapid",
  /** Of this server: passwords, app passwords and sign-ins of the login itself (docs/jmap.md). */
  account: "https://posthorn.example/jmap/account",
  /** Of this server: docs/jmap.md. */
  suppression: "https://posthorn.example/jmap/suppression",
} as const;
