/**
 * What a token may be allowed to do: draft-ietf-mailmaint-oauth-public §3.8, and narrower scopes named as JMAP's capabilities.
 */
export const scopes = {
  /** All of a person's mail, by JMAP and SMTP. */
  all: "urn:ietf:params:oauth:scope:mail",
  core: "urn:ietf:params:jmap:core",
  /** Read and change mail. */
  mail: "urn:ietf:params:jmap:mail",
  /** Send; by JMAP, which sends mail that is there, only together with `mail`. */
  submission: "urn:ietf:params:jmap:submission",
  vacation: "urn:ietf:params:jmap:vacationresponse",
} as const;

export type Scope = (typeof scopes)[keyof typeof scopes];

export const allScopes: readonly Scope[] = Object.values(scopes);

/** RFC 6749 §3.3: those of the text that are known here, each once. */
export function parseScope(text: string): Scope[] {
  const named = new Set(text.split(" "));
  return allScopes.filter((scope) => named.has(scope));
}

export const scopeText = (list: Iterable<Scope>): string => [...list].join(" ");

/** `granted`: undefined for a credential that may do everything. */
export function allows(granted: ReadonlySet<Scope> | undefined, ...needed: readonly Scope[]): boolean {
  if (granted === undefined || granted.has(scopes.all)) return true;
  return needed.every((scope) => granted.has(scope));
}
