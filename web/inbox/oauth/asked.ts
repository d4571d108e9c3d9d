/** What a program asks for, as the server has checked it. */
export interface Asked {
  login: string;
  client: {
    name: string;
    /** A page about it; "" for none. */
    uri: string;
    isVerified: boolean;
  };
  redirectUri: string;
  scopes: string[];
}

type Answer =
  | { is: "asked"; asked: Asked }
  /** Where the browser goes next. */
  | { is: "over"; to: string }
  | { is: "wrong"; reason: string }
  | { is: "signed-out" }
  | { is: "unreachable" };

export const scopeOf = {
  all: "urn:ietf:params:oauth:scope:mail",
  mail: "urn:ietf:params:jmap:mail",
  submission: "urn:ietf:params:jmap:submission",
  vacation: "urn:ietf:params:jmap:vacationresponse",
} as const;

export const whoAsks = (query: string): Promise<Answer> => post("/oauth/request", { query });
export const decide = (query: string, allow: boolean): Promise<Answer> => post("/oauth/answer", { query, allow });

async function post(path: string, body: object): Promise<Answer> {
  const headers = { "Content-Type": "application/json" };
  const response = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) }).catch(() => undefined);
  if (!response || response.status >= 429) return { is: "unreachable" };
  if (response.status === 401) return { is: "signed-out" };
  const said = (await response.json()) as Asked & { to?: string; detail?: string };
  if (!response.ok) return { is: "wrong", reason: said.detail ?? response.statusText };
  return said.to === undefined ? { is: "asked", asked: said } : { is: "over", to: said.to };
}
