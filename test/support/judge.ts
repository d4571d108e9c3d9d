import { expect } from "vitest";
import type { MethodErrorType, SetErrorType } from "../../src/jmap/errors.ts";
import type { Invocation } from "../../src/jmap/references.ts";

type Json = Record<string, unknown>;

/** RFC 8620 §3.6.2: the errors that any method may return for a faulty request. */
const anyMethod: MethodErrorType[] = [
  "invalidArguments",
  "invalidResultReference",
  "forbidden",
  "accountNotFound",
  "accountNotSupportedByMethod",
  "accountReadOnly",
];
const ofFilters: MethodErrorType[] = ["unsupportedFilter", "unsupportedSort"];

/** RFC 8620 §5, RFC 8621 §4.8 and §5.1, RFC 9404 §4: further errors, by kind of method. */
const ofKind: Record<string, MethodErrorType[]> = {
  echo: [],
  get: ["requestTooLarge"],
  changes: ["cannotCalculateChanges"],
  query: ["anchorNotFound", ...ofFilters],
  queryChanges: ["cannotCalculateChanges", "tooManyChanges", ...ofFilters],
  set: ["requestTooLarge", "stateMismatch"],
  copy: ["requestTooLarge", "stateMismatch", "fromAccountNotFound", "fromAccountNotSupportedByMethod"],
  import: ["requestTooLarge", "stateMismatch"],
  parse: ["requestTooLarge"],
  send: ["requestTooLarge"],
  upload: ["requestTooLarge"],
  lookup: ["requestTooLarge", "unknownDataType"],
  list: [],
  restore: ["requestTooLarge"],
  lift: [],
  post: [],
};

const setErrors: Record<SetErrorType, true> = {
  forbidden: true,
  overQuota: true,
  tooLarge: true,
  rateLimit: true,
  notFound: true,
  invalidPatch: true,
  willDestroy: true,
  invalidProperties: true,
  singleton: true,
  alreadyExists: true,
  mailboxHasChild: true,
  mailboxHasEmail: true,
  blobNotFound: true,
  tooManyKeywords: true,
  tooManyMailboxes: true,
  invalidEmail: true,
  tooManyRecipients: true,
  noRecipients: true,
  invalidRecipients: true,
  forbiddenMailFrom: true,
  forbiddenFrom: true,
  forbiddenToSend: true,
  cannotUnsend: true,
  mdnAlreadySent: true,
};

/** Arguments that name records, and the properties of the response that must account for each. */
const told: [argument: string, done: string, refused: string][] = [
  ["create", "created", "notCreated"],
  ["emails", "created", "notCreated"],
  ["send", "sent", "notSent"],
  ["update", "updated", "notUpdated"],
  ["destroy", "destroyed", "notDestroyed"],
];

const namesIn = (value: unknown): string[] =>
  Array.isArray(value) ? (value as string[]) : Object.keys((value as object | null) ?? {});

/** A reference stands for an id that the response may name instead. */
const plain = (names: string[]) => [...new Set(names)].filter((name) => !name.startsWith("#")).sort();

/** Checks that the response accounts for every record of the call, or is an error that the RFCs allow for it. */
export function judge([name, given]: Invocation, [answered, response]: Invocation): void {
  const args = given as Json;
  expect(JSON.stringify(response)).not.toMatch(/node_modules|\.ts:\d|\bSELECT\b|\bINSERT INTO\b|invalid byte sequence/);
  if (answered === "error") {
    const known = [
      ...anyMethod,
      ...(name.startsWith("SearchSnippet/") ? ofFilters : []),
      ...ofKind[name.split("/")[1]!]!,
    ];
    expect(known).toContain(response.type);
    if ("description" in response) expect(response.description).toBeTypeOf("string");
    return;
  }
  expect(answered).toBe(name);
  judgeSetErrors(response);
  for (const [argument, done, refused] of told) {
    const wanted = args[argument];
    if (typeof wanted !== "object" || wanted === null || !(done in response)) continue;
    const answers = [...namesIn(response[done]), ...namesIn(response[refused])];
    expect(new Set(answers).size).toBe(answers.length);
    expect(plain(answers)).toEqual(expect.arrayContaining(plain(namesIn(wanted))));
  }
  if (name.endsWith("/get") && Array.isArray(args.ids) && "notFound" in response) {
    const found = (response.list as Json[]).map(({ id }) => id as string);
    expect(plain([...found, ...namesIn(response.notFound)])).toEqual(
      expect.arrayContaining(plain(args.ids as string[])),
    );
  }
  if (name.endsWith("/query")) expect(new Set(namesIn(response.ids)).size).toBe(namesIn(response.ids).length);
}

/** RFC 8620 §5.3: each SetError has a known type, and its properties are a list of names. */
export function judgeSetErrors(response: Json): void {
  for (const refused of ["notCreated", "notUpdated", "notDestroyed", "notCopied", "notSent"]) {
    for (const error of Object.values((response[refused] ?? {}) as Record<string, Json>)) {
      expect(Object.keys(setErrors)).toContain(error.type);
      if (error.type === "invalidProperties") expect(error).toMatchObject({ properties: expect.any(Array) });
      for (const property of (error.properties ?? []) as unknown[]) expect(property).toBeTypeOf("string");
    }
  }
}
