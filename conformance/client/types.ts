/** RFC 8620 §2 and §3: the types on the wire, as loose as a client of any server must be. */
export type Json = Record<string, unknown>;
export type Invocation = [name: string, args: Json, callId: string];

export type Account = {
  name: string;
  isPersonal: boolean;
  isReadOnly: boolean;
  accountCapabilities: Record<string, Json>;
};

export type Session = {
  capabilities: Record<string, Json>;
  accounts: Record<string, Account>;
  primaryAccounts: Record<string, string>;
  username: string;
  apiUrl: string;
  downloadUrl: string;
  uploadUrl: string;
  eventSourceUrl: string;
  state: string;
};

export type JmapResponse = {
  methodResponses: Invocation[];
  createdIds?: Record<string, string>;
  sessionState: string;
};

export type ResultReference = { resultOf: string; name: string; path: string };
export type SetError = { type: string; description?: string | null; properties?: string[] } & Json;

export type GetResult<T = Json> = { accountId: string; state: string; list: T[]; notFound: string[] };
export type ChangesResult = {
  accountId: string;
  oldState: string;
  newState: string;
  hasMoreChanges: boolean;
  created: string[];
  updated: string[];
  destroyed: string[];
};
export type SetResult<T = Json> = {
  accountId: string;
  oldState: string | null;
  newState: string;
  created: Record<string, T> | null;
  updated: Record<string, T | null> | null;
  destroyed: string[] | null;
  notCreated: Record<string, SetError> | null;
  notUpdated: Record<string, SetError> | null;
  notDestroyed: Record<string, SetError> | null;
};
export type QueryResult = {
  accountId: string;
  queryState: string;
  canCalculateChanges: boolean;
  position: number;
  ids: string[];
  total?: number;
  limit?: number;
};
export type QueryChangesResult = {
  accountId: string;
  oldQueryState: string;
  newQueryState: string;
  total?: number;
  removed: string[];
  added: { id: string; index: number }[];
};
export type ImportResult = Pick<SetResult, "accountId" | "oldState" | "newState" | "notCreated"> & {
  created: Record<string, { id: string; blobId: string; threadId: string; size: number }> | null;
};
export type UploadResult = { accountId: string; blobId: string; type: string; size: number };

/** RFC 8620 §7.1: the content of a push. */
export type StateChange = {
  "@type": "StateChange";
  changed: Record<string, Record<string, string>>;
  pushState?: string;
};

export const core = "urn:ietf:params:jmap:core";
export const mail = "urn:ietf:params:jmap:mail";
export const submission = "urn:ietf:params:jmap:submission";
export const vacation = "urn:ietf:params:jmap:vacationresponse";
export const webSocket = "urn:ietf:params:jmap:websocket";
