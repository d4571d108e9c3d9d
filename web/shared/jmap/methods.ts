import type {
  AppPassword,
  Comparator,
  DataExport,
  DeletedEmail,
  Email,
  EmailSubmission,
  Filter,
  Id,
  Identity,
  Mailbox,
  MaskedAddress,
  Quota,
  SearchSnippet,
  SecondFactor,
  SetError,
  SignIn,
  Thread,
  VacationResponse,
} from "./types.ts";

/** RFC 8620 §3.7 */
export interface ResultReference {
  resultOf: string;
  name: string;
  path: string;
}

export interface GetResult<T> {
  accountId: Id;
  state: string;
  list: T[];
  notFound: Id[];
}

export interface ChangesResult {
  accountId: Id;
  oldState: string;
  newState: string;
  hasMoreChanges: boolean;
  created: Id[];
  updated: Id[];
  destroyed: Id[];
  updatedProperties?: string[] | null;
}

export interface SetResult<T> {
  accountId: Id;
  oldState: string | null;
  newState: string;
  created: Record<string, Partial<T> & { id: Id }> | null;
  updated: Record<Id, Partial<T> | null> | null;
  destroyed: Id[] | null;
  notCreated: Record<string, SetError> | null;
  notUpdated: Record<Id, SetError> | null;
  notDestroyed: Record<Id, SetError> | null;
}

export interface QueryResult {
  accountId: Id;
  queryState: string;
  canCalculateChanges: boolean;
  position: number;
  ids: Id[];
  total?: number;
}

export interface QueryChangesResult {
  accountId: Id;
  oldQueryState: string;
  newQueryState: string;
  total?: number;
  removed: Id[];
  added: { id: Id; index: number }[];
}

/** Any argument may be given as `#name: call.ref(path)` instead. */
type Args<A> = A & { [name: `#${string}`]: ResultReference };
interface InAccount {
  accountId: Id;
}
interface GetArgs extends InAccount {
  ids?: readonly Id[] | null;
  properties?: readonly string[] | null;
}
interface ChangesArgs extends InAccount {
  sinceState: string;
  maxChanges?: number;
}
interface SetArgs extends InAccount {
  ifInState?: string | null;
  create?: Record<string, object>;
  update?: Record<Id, object>;
  destroy?: readonly Id[];
}
interface QueryArgs extends InAccount {
  filter?: Filter | null;
  sort?: readonly Comparator[];
  position?: number;
  anchor?: Id;
  anchorOffset?: number;
  limit?: number;
  calculateTotal?: boolean;
}
interface QueryChangesArgs extends InAccount {
  filter?: Filter | null;
  sort?: readonly Comparator[];
  sinceQueryState: string;
  maxChanges?: number;
  upToId?: Id;
  calculateTotal?: boolean;
}
interface BodyArgs {
  bodyProperties?: readonly string[];
  fetchTextBodyValues?: boolean;
  fetchHTMLBodyValues?: boolean;
  fetchAllBodyValues?: boolean;
  maxBodyValueBytes?: number;
}

type OfLogin<T> = Omit<T, "accountId" | "state" | "oldState" | "newState">;

/** The methods that the pages call: name → arguments and result. Add one here to call it. */
export interface Methods {
  "Mailbox/get": [Args<GetArgs>, GetResult<Mailbox>];
  "Mailbox/changes": [Args<ChangesArgs>, ChangesResult];
  "Mailbox/set": [Args<SetArgs & { onDestroyRemoveEmails?: boolean }>, SetResult<Mailbox>];
  "Thread/get": [Args<GetArgs>, GetResult<Thread>];
  "Thread/changes": [Args<ChangesArgs>, ChangesResult];
  "Email/get": [Args<GetArgs & BodyArgs>, GetResult<Partial<Email> & { id: Id }>];
  "Email/changes": [Args<ChangesArgs>, ChangesResult];
  "Email/query": [Args<QueryArgs & { collapseThreads?: boolean }>, QueryResult];
  "Email/queryChanges": [Args<QueryChangesArgs & { collapseThreads?: boolean }>, QueryChangesResult];
  "Email/set": [Args<SetArgs>, SetResult<Email>];
  "Email/import": [
    Args<InAccount & { emails: Record<string, object>; ifInState?: string | null }>,
    {
      accountId: Id;
      created: Record<string, { id: Id; blobId: Id; threadId: Id }> | null;
      notCreated: Record<string, SetError> | null;
    },
  ];
  "Email/parse": [
    Args<InAccount & BodyArgs & { blobIds: readonly Id[]; properties?: readonly string[] }>,
    {
      accountId: Id;
      parsed: Record<Id, Partial<Email>> | null;
      notParsable: Id[] | null;
      notFound: Id[] | null;
    },
  ];
  "SearchSnippet/get": [
    Args<InAccount & { filter?: Filter | null; emailIds?: readonly Id[] }>,
    { accountId: Id; list: SearchSnippet[]; notFound: Id[] | null },
  ];
  "Identity/get": [Args<GetArgs>, GetResult<Identity>];
  "Identity/changes": [Args<ChangesArgs>, ChangesResult];
  "Identity/set": [Args<SetArgs>, SetResult<Identity>];
  "EmailSubmission/get": [Args<GetArgs>, GetResult<EmailSubmission>];
  "EmailSubmission/query": [Args<Omit<QueryArgs, "filter"> & { filter?: object | null }>, QueryResult];
  "EmailSubmission/set": [
    Args<SetArgs & { onSuccessUpdateEmail?: Record<Id, object> | null; onSuccessDestroyEmail?: readonly Id[] | null }>,
    SetResult<EmailSubmission>,
  ];
  "VacationResponse/get": [Args<GetArgs>, GetResult<VacationResponse>];
  "VacationResponse/set": [Args<SetArgs>, SetResult<VacationResponse>];
  "Quota/get": [Args<GetArgs>, GetResult<Quota>];
  /** Of the login itself, so without an account (docs/jmap.md). */
  "AppPassword/get": [Args<OfLogin<GetArgs>>, OfLogin<GetResult<AppPassword>>];
  "AppPassword/set": [Args<OfLogin<SetArgs>>, OfLogin<SetResult<AppPassword & { secret: string }>>];
  "SecondFactor/get": [Args<OfLogin<GetArgs>>, OfLogin<GetResult<SecondFactor>>];
  "SignIn/get": [Args<OfLogin<GetArgs>>, OfLogin<GetResult<SignIn>>];
  "SignIn/set": [Args<OfLogin<SetArgs>>, OfLogin<SetResult<SignIn>>];
  "Password/set": [Args<OfLogin<SetArgs>>, OfLogin<SetResult<{ id: Id }>>];
  /** Leaves the list of an email by one click (docs/jmap.md). */
  "Unsubscribe/post": [InAccount & { emailId: Id }, { host: string; isDone: boolean; status: number | null }];
  "DataExport/get": [Args<GetArgs>, GetResult<DataExport>];
  "DataExport/set": [Args<SetArgs>, SetResult<DataExport>];
  /** What was destroyed lately, and bringing it back (docs/jmap.md). */
  "DeletedEmail/list": [
    InAccount & { limit?: number; after?: string | null },
    { list: DeletedEmail[]; keptFor: number; next: string | null },
  ];
  "DeletedEmail/restore": [
    InAccount & { ids: readonly Id[] },
    {
      restored: Record<Id, { id: Id; mailboxIds: Record<Id, true> }> | null;
      notRestored: Record<Id, SetError> | null;
    },
  ];
  "MaskedAddress/get": [Args<GetArgs>, GetResult<MaskedAddress>];
  "MaskedAddress/set": [Args<SetArgs>, SetResult<MaskedAddress>];
}

export type MethodName = keyof Methods;
