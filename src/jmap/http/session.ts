import { createHash } from "node:crypto";
import type { Login } from "../../auth/login.ts";
import { encodeId, idPrefix } from "../../base/ids.ts";
import { accountCapabilities, accountCapability, coreCapability } from "../capabilities.ts";
import { capabilities } from "../capability-names.ts";
import { mayUse } from "../scopes.ts";
import type { ApiDeps } from "./deps.ts";

/** Whether this server has methods or an endpoint for a capability. */
export function supports({ registry, isPushPaused }: ApiDeps, capability: string): boolean {
  if (capability === capabilities.core || registry.capabilities.has(capability)) return true;
  // It adds a property, and no method.
  if (capability === capabilities.scan || capability === capabilities.authentication) return true;
  return capability === capabilities.webPushVapid || (capability === capabilities.websocket && !isPushPaused);
}

/** RFC 8620 §2 */
export function buildSession(deps: ApiDeps, login: Login, base: string): object {
  return {
    ...describe(deps, login, base),
    apiUrl: `${base}/jmap/api`,
    downloadUrl: `${base}/jmap/download/{accountId}/{blobId}/{name}?type={type}`,
    uploadUrl: `${base}/jmap/upload/{accountId}/`,
    eventSourceUrl: `${deps.pushUrl || base}/jmap/eventsource/?types={types}&closeafter={closeafter}&ping={ping}`,
    state: sessionState(deps, login),
  };
}

function describe(deps: ApiDeps, login: Login, base: string) {
  const isShown = (name: string) => supports(deps, name) && mayUse(login, name);
  const ofAccounts = Object.entries(accountCapabilities).filter(([name]) => isShown(name));
  const primary = login.accounts.find(({ id }) => id === login.userId);
  const primaryId = primary && encodeId(idPrefix.account, primary.id);
  return {
    capabilities: {
      ...Object.fromEntries(Object.entries(ofServer(deps, base)).filter(([name]) => isShown(name))),
      ...deps.ownCapabilities?.(login),
    },
    accounts: Object.fromEntries(
      login.accounts.map((account) => [
        encodeId(idPrefix.account, account.id),
        {
          name: account.name,
          isPersonal: account.isPersonal,
          isReadOnly: account.isReadOnly,
          accountCapabilities: Object.fromEntries(
            ofAccounts.map(([name, of]) => [name, of(account, deps.services.limits)]),
          ),
        },
      ]),
    ),
    primaryAccounts: primaryId ? Object.fromEntries(ofAccounts.map(([name]) => [name, primaryId])) : {},
    username: login.login,
  };
}

function ofServer(deps: ApiDeps, base: string): Record<string, object> {
  return {
    ...Object.fromEntries([...deps.registry.capabilities].map((name) => [name, {}])),
    [capabilities.core]: coreCapability(deps.services.limits),
    [capabilities.scan]: { authservId: deps.hostname },
    [capabilities.authentication]: {},
    [capabilities.account]: accountCapability,
    [capabilities.webPushVapid]: { applicationServerKey: deps.services.webPush.applicationServerKey },
    [capabilities.websocket]: {
      url: `${(deps.pushUrl || base).replace(/^http/, "ws")}/jmap/ws`,
      supportsPush: true,
    },
  };
}

const states = new WeakMap<Login, string>();

/** Changes with everything in the session except the URL by which the client reaches the server. */
export function sessionState(deps: ApiDeps, login: Login): string {
  let state = states.get(login);
  if (state === undefined) {
    const content = JSON.stringify(describe(deps, login, deps.publicUrl));
    state = createHash("sha256").update(content).digest("hex").slice(0, 16);
    states.set(login, state);
  }
  return state;
}
