import { connect } from "../client/client.ts";
import { exchange } from "../client/http.ts";
import { core, type Json, mail } from "../client/types.ts";
import type { TestContext } from "../runner/context.ts";
import { defineTests, type TestDefinition } from "../runner/define.ts";
import { equal, isArray, isId, isObject, isString, isUnsignedInt, ok, show } from "../runner/expect.ts";
import { mediaType, parse } from "./support.ts";

const rfc = "rfc8620";

async function fetchSession(t: TestContext): Promise<Json> {
  const answer = await t.client.fetch(t.client.sessionUrl);
  equal(answer.status, 200, "HTTP status");
  const session = parse(answer);
  isObject(session, "the session");
  return session;
}

const limits = [
  "maxSizeUpload",
  "maxConcurrentUpload",
  "maxSizeRequest",
  "maxConcurrentRequests",
  "maxCallsInRequest",
  "maxObjectsInGet",
  "maxObjectsInSet",
] as const;
const suggested = [50_000_000, 4, 10_000_000, 4, 16, 500, 500];

const template = (name: string, variables: readonly string[]): TestDefinition => ({
  id: `${name.toLowerCase()}-variables`,
  level: "MUST",
  says: `The ${name} MUST contain variables called ${variables.join(", ")}, in URI Template (level 1) format.`,
  run: (t) => {
    const url = (t.session as unknown as Json)[name];
    isString(url, name);
    for (const variable of variables) ok(url.includes(`{${variable}}`), `${name} lacks {${variable}}: ${url}`);
    for (const [, expression = ""] of url.matchAll(/\{([^}]*)\}/g)) {
      ok(/^[A-Za-z0-9_.]+$/.test(expression), `{${expression}} is no level 1 expression`);
    }
  },
});

const session = defineTests({ rfc, section: "2", title: "The JMAP session resource" }, [
  {
    id: "json",
    level: "MUST",
    says: "A successful authenticated GET request to the JMAP Session resource MUST return a JSON-encoded Session object.",
    run: async (t) => {
      const answer = await t.client.fetch(t.client.sessionUrl);
      equal(answer.status, 200, "HTTP status");
      equal(mediaType(answer), "application/json", "Content-Type");
      isObject(parse(answer), "the session");
    },
  },
  {
    id: "properties",
    level: "MUST",
    says: "It has the following properties: capabilities, accounts, primaryAccounts, username, apiUrl, downloadUrl, uploadUrl, eventSourceUrl, state.",
    run: async (t) => {
      const found = await fetchSession(t);
      for (const name of ["capabilities", "accounts", "primaryAccounts"]) isObject(found[name], name);
      const strings = ["username", "apiUrl", "downloadUrl", "uploadUrl", "eventSourceUrl", "state"];
      for (const name of strings) isString(found[name], name);
      for (const [name, value] of Object.entries(found.capabilities as Json)) isObject(value, name);
    },
  },
  {
    id: "core-capability",
    level: "MUST",
    says: "The capabilities object MUST include a property called urn:ietf:params:jmap:core, an object that MUST contain the limits and collationAlgorithms.",
    run: (t) => {
      const found = t.session.capabilities[core];
      isObject(found, core);
      for (const name of limits) isUnsignedInt(found[name], name);
      isArray(found.collationAlgorithms, "collationAlgorithms");
      for (const one of found.collationAlgorithms) isString(one, "a collation algorithm");
    },
  },
  {
    id: "suggested-minimums",
    level: "MAY",
    says: "Suggested minimum values for limits are supplied that allow clients to make efficient use of the network.",
    run: (t) => {
      for (const [at, name] of limits.entries()) {
        const least = suggested[at] as number;
        ok(t.limit(name) >= least, `${name} is ${t.limit(name)}, the suggested minimum ${least}`);
      }
    },
  },
  {
    id: "accounts",
    level: "MUST",
    says: "An Account object has the properties name, isPersonal, isReadOnly and accountCapabilities.",
    run: (t) => {
      for (const [id, account] of Object.entries(t.session.accounts)) {
        isId(id, "account id");
        isString(account.name, "name");
        equal(typeof account.isPersonal, "boolean", "type of isPersonal");
        equal(typeof account.isReadOnly, "boolean", "type of isReadOnly");
        isObject(account.accountCapabilities, "accountCapabilities");
        for (const [name, value] of Object.entries(account.accountCapabilities)) isObject(value, name);
      }
    },
  },
  {
    id: "account-capabilities-advertised",
    level: "MUST",
    says: "The server advertises the full list of capabilities it supports in the capabilities object.",
    run: (t) => {
      for (const { accountCapabilities } of Object.values(t.session.accounts)) {
        for (const name of Object.keys(accountCapabilities)) {
          ok(name in t.session.capabilities, `${name} of an account is not among the capabilities`);
        }
      }
    },
  },
  {
    id: "account-capabilities-usable",
    level: "MUST",
    says: "If the capability defines new methods, the server MUST include it in the accountCapabilities object if the user may use those methods with this account.",
    requires: [mail],
    run: async (t) => {
      for (const [accountId, { accountCapabilities }] of Object.entries(t.session.accounts)) {
        const [answer] = await t.call([["Mailbox/get", { accountId, ids: [] }, "0"]]);
        const works = answer?.[0] === "Mailbox/get";
        equal(works, mail in accountCapabilities, `whether ${accountId} answers Mailbox/get as it advertises`);
      }
    },
  },
  {
    id: "primary-accounts",
    level: "MUST",
    says: "A map of capability URIs (as found in accountCapabilities) to the account id that is considered to be the user's main account.",
    run: (t) => {
      for (const [name, id] of Object.entries(t.session.primaryAccounts)) {
        const account = t.session.accounts[id];
        ok(account, `the primary account ${id} of ${name} is not among the accounts`);
        if (name !== core) ok(name in account.accountCapabilities, `${id} does not have ${name}`);
      }
    },
  },
  {
    id: "primary-accounts-without-core",
    level: "SHOULD",
    says: "“urn:ietf:params:jmap:core” SHOULD NOT be present.",
    run: (t) => ok(!(core in t.session.primaryAccounts), `primaryAccounts: ${show(t.session.primaryAccounts)}`),
  },
  template("downloadUrl", ["accountId", "blobId", "type", "name"]),
  template("uploadUrl", ["accountId"]),
  template("eventSourceUrl", ["types", "closeafter", "ping"]),
  {
    id: "type-in-query",
    level: "SHOULD",
    says: "It is RECOMMENDED to put the “type” variable in the query section of the URL.",
    run: (t) => {
      const query = t.session.downloadUrl.indexOf("?");
      ok(query >= 0 && t.session.downloadUrl.indexOf("{type}") > query, t.session.downloadUrl);
    },
  },
  {
    id: "state",
    level: "MUST",
    says: "The current value is also returned on the API Response object.",
    run: async (t) => {
      const { sessionState } = await t.client.callRaw({ using: [core], methodCalls: [] });
      equal(sessionState, (await fetchSession(t)).state, "sessionState");
    },
  },
  {
    id: "no-caching",
    level: "SHOULD",
    says: "It is RECOMMENDED to disable HTTP caching altogether, for example, by setting Cache-Control: no-cache, no-store, must-revalidate.",
    run: async (t) => {
      const { headers } = await t.client.fetch(t.client.sessionUrl);
      ok(/no-store|no-cache/.test(String(headers["cache-control"])), `Cache-Control: ${headers["cache-control"]}`);
    },
  },
]);

const discovery = defineTests({ rfc, section: "2.2", title: "Service autodiscovery" }, [
  {
    id: "well-known",
    level: "SHOULD",
    says: "The JMAP Session resource is then https://HOSTNAME[:PORT]/.well-known/jmap (following any redirects).",
    run: async (t) => {
      const url = new URL("/.well-known/jmap", t.client.sessionUrl);
      const credentials = Buffer.from(t.client.authorization.replace(/^Basic /, ""), "base64").toString();
      if (!t.client.authorization.startsWith("Basic ")) t.skip("needs a password");
      const colon = credentials.indexOf(":");
      const login = { user: credentials.slice(0, colon), password: credentials.slice(colon + 1) };
      const found = await connect({ url: url.href, ...login });
      equal(found.session.apiUrl, t.session.apiUrl, "apiUrl");
      found.close();
    },
  },
]);

const bare = async (url: URL, method: string, authorization?: string) =>
  await exchange(undefined, url, {
    method,
    headers: { connection: "close", "content-type": "application/json", ...(authorization && { authorization }) },
    ...(method === "POST" && { body: `{"using":["${core}"],"methodCalls":[["Core/echo",{},"0"]]}` }),
  });

const resources: Readonly<Record<string, (t: TestContext) => [URL, string]>> = {
  session: (t) => [t.client.sessionUrl, "GET"],
  api: (t) => [t.client.resolve(t.session.apiUrl), "POST"],
  upload: (t) => [t.client.expand(t.session.uploadUrl, { accountId: t.accountId }), "POST"],
  download: (t) => [t.client.downloadUrl("b", "n", "text/plain"), "GET"],
  "event-source": (t) => [
    t.client.expand(t.session.eventSourceUrl, { types: "*", closeafter: "no", ping: "0" }),
    "GET",
  ],
};

const authentication = defineTests({ rfc, section: "1.7", title: "The JMAP API model" }, [
  ...Object.entries(resources).map(
    ([name, resource]): TestDefinition => ({
      id: `unauthenticated-${name}`,
      level: "MUST",
      says: "All HTTP requests MUST be authenticated.",
      run: async (t) => {
        const { status } = await bare(...resource(t));
        ok(status === 401 || status === 403, `HTTP status without credentials: ${status}`);
      },
    }),
  ),
  {
    // One is enough: a server may close its door to an address after a few of them.
    id: "wrong-credentials",
    level: "MUST",
    says: "All HTTP requests MUST be authenticated.",
    run: async (t) => {
      const wrong = `Basic ${Buffer.from("nobody@conformance.example:wrong").toString("base64")}`;
      const { status } = await bare(t.client.resolve(t.session.apiUrl), "POST", wrong);
      ok([401, 403, 429].includes(status), `HTTP status with wrong credentials: ${status}`);
    },
  },
]);

const https = defineTests({ rfc, section: "1.7" }, [
  {
    id: "https-urls",
    level: "MUST",
    says: "All HTTP requests MUST use the “https://” scheme.",
    run: (t) => {
      if (t.client.sessionUrl.protocol !== "https:") t.skip("the session was asked for over plain HTTP");
      for (const name of ["apiUrl", "downloadUrl", "uploadUrl", "eventSourceUrl"] as const) {
        equal(t.client.resolve(t.session[name].replace(/[{}]/g, "")).protocol, "https:", `scheme of ${name}`);
      }
    },
  },
]);

export const sessionTests = [...session, ...discovery, ...authentication, ...https];
