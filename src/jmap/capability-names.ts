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
  /** Of Posthorn itself, described in docs/jmap.md: what scanning found of an Email. */
  scan: "https://posthorn.example/jmap/scan",
  /** Of Posthorn itself, described in docs/jmap.md: what SPF, DKIM, DMARC, ARC and BIMI found of an Email. */
  authentication: "https://posthorn.example/jmap/authentication",
  /** Of Posthorn itself, described in docs/jmap.md: passwords, app passwords and sign-ins of the login itself. */
  account: "https://posthorn.example/jmap/account",
  /** Of Posthorn itself, described in docs/jmap.md: addresses that the account's mail does not go to. */
  suppression: "https://posthorn.example/jmap/suppression",
  /** Of Posthorn itself, described in docs/jmap.md: addresses to give away one by one. */
  maskedAddresses: "https://posthorn.example/jmap/masked-addresses",
  /** Of Posthorn itself, described in docs/jmap.md: an archive of the whole account, to download. */
  dataExport: "https://posthorn.example/jmap/data-export",
  /** Of Posthorn itself, described in docs/jmap.md: leaving a list by one click. */
  unsubscribe: "https://posthorn.example/jmap/unsubscribe",
  /** Of Posthorn itself, described in docs/jmap.md: bringing back what was destroyed. */
  undelete: "https://posthorn.example/jmap/undelete",
  /** Of Posthorn itself, described in docs/jmap.md: what operators see and do, at their own door alone. */
  operator: "https://posthorn.example/jmap/operator",
} as const;
