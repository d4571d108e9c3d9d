import type { Json, SetResult } from "../client/types.ts";
import type { TestContext } from "../runner/context.ts";
import { equal, isObject, ok, show } from "../runner/expect.ts";
import type { Push, PushEndpoint } from "../runner/push-listener.ts";

export type Subscription = { id: string; created: Json };

export const hours = 3_600_000;

/** A UTCDate so far from now. */
export function inFuture(ms: number): string {
  return new Date(Date.now() + ms).toISOString().replace(/\.\d+Z$/, "Z");
}

export function setSubscription(t: TestContext, args: Json): Promise<SetResult> {
  return t.one<SetResult>("PushSubscription/set", args);
}

/** Makes a subscription that is gone after the test; a server may not take our URL, then there is nothing to test. */
export async function subscribe(t: TestContext, url: string, properties: Json = {}): Promise<Subscription> {
  const create = { s: { deviceClientId: t.unique("device"), url, ...properties } };
  const answer = await setSubscription(t, { create });
  const created = answer.created?.s;
  if (!created) t.skip(`the server does not take ${url}: ${show(answer.notCreated)}`);
  const made = created as Json;
  t.defer(() => setSubscription(t, { destroy: [made.id] }));
  return { id: String(made.id), created: made };
}

/** For tests in which no push need arrive. */
export function anyUrl(t: TestContext): string {
  if (t.world.listener?.base.startsWith("https:")) return t.pushEndpoint().url;
  return `https://push.conformance.example/${t.unique()}`;
}

export function pushed(t: TestContext, push: Push, body = push.body): Json {
  t.recorder.note(`push: ${push.method} ${push.path}\n${show(push.headers, 2000)}`, String(body));
  const data: unknown = JSON.parse(String(body));
  isObject(data, "the pushed body");
  return data;
}

export async function verification(t: TestContext, endpoint: PushEndpoint, id: string): Promise<string> {
  const data = pushed(t, await endpoint.next());
  equal(data["@type"], "PushVerification", "@type");
  equal(data.pushSubscriptionId, id, "pushSubscriptionId");
  return String(data.verificationCode);
}

/** A subscription that is ready to get pushes. */
export async function verified(
  t: TestContext,
  properties: Json = {},
): Promise<Subscription & { endpoint: PushEndpoint }> {
  const endpoint = t.pushEndpoint();
  const made = await subscribe(t, endpoint.url, properties);
  const verificationCode = await verification(t, endpoint, made.id);
  const answer = await setSubscription(t, { update: { [made.id]: { verificationCode } } });
  ok(answer.updated && made.id in answer.updated, `the right code was refused: ${show(answer.notUpdated)}`);
  return { ...made, endpoint };
}

/** The state that a push tells of a type, passing over pushes that do not name it. */
export async function pushedState(t: TestContext, endpoint: PushEndpoint, type: string, open = (body: Buffer) => body) {
  const end = Date.now() + 15_000;
  for (;;) {
    const push = await endpoint.next(Math.max(1, end - Date.now()));
    const data = pushed(t, push, open(push.body));
    equal(data["@type"], "StateChange", "@type");
    const types = (data.changed as Record<string, Json> | undefined)?.[t.accountId];
    if (types?.[type] !== undefined) return { state: String(types[type]), types, push };
  }
}
