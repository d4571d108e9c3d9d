import type { Sentence } from "./sentence.ts";

export const rfc8887: readonly Sentence[] = [
  { section: "3", level: "MUST", says: "The capability MUST contain url and supportsPush.", tests: ["capability"] },
  { section: "3", level: "MUST", says: "url: the wss-URI to use.", tests: ["wss"] },
  { section: "4", level: "MUST", says: "The handshake is authenticated as the API is.", tests: ["unauthenticated"] },
  {
    section: "4",
    level: "MUST",
    says: "“jmap” MUST be in the reply's Sec-WebSocket-Protocol.",
    tests: ["subprotocol", "subprotocol-missing"],
  },
  {
    section: "4",
    level: "MUST",
    says: "Credentials that lapse: the connection is closed, or further requests are unauthenticated.",
    why: "JMAP has no way to let credentials lapse",
  },
  { section: "4.3", level: "MUST", says: "Messages MUST be text frames.", tests: ["binary"] },
  {
    section: "4.3",
    level: "MUST",
    says: "Fragmented messages MUST be coalesced prior to parsing.",
    tests: ["fragmented"],
  },
  {
    section: "4.3",
    level: "MUST",
    says: "A message MUST be a single Request, WebSocketPushEnable or WebSocketPushDisable object.",
    tests: ["not-json", "unknown-type"],
  },
  {
    section: "4.3.2",
    level: "MUST",
    says: "requestId MUST be returned if an “id” is included in the request.",
    tests: ["response", "without-id", "several-in-flight"],
  },
  {
    section: "4.3.2",
    level: "MUST",
    says: "@type of the answer MUST be “Response”.",
    tests: ["response", "created-ids", "method-error"],
  },
  {
    section: "4.3.4",
    level: "MUST",
    says: "@type of a request-level error MUST be “RequestError”, with its requestId.",
    tests: ["request-error", "not-request"],
  },
  { section: "4.3.4", level: "MUST", says: "The limits of RFC 8620 hold.", tests: ["limit"] },
  { section: "4.3.5", level: "MUST", says: "Pushes take the form of a StateChange object.", tests: ["state-change"] },
  {
    section: "4.3.5",
    level: "MUST",
    says: "WebSocketPushEnable switches them on, for the types in dataTypes.",
    tests: ["off-at-first", "data-types"],
  },
  { section: "4.3.5", level: "MUST", says: "WebSocketPushDisable switches them off.", tests: ["disable"] },
  {
    section: "4.3.5",
    level: "SHOULD",
    says: "With a known pushState the server SHOULD at once send what changed since.",
    tests: ["push-state"],
  },
];
