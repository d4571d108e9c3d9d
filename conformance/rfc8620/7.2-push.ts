import { core, mail } from "../client/types.ts";
import { defineTests } from "../runner/define.ts";
import { differs, equal, isString, ok, same, show } from "../runner/expect.ts";
import { inFuture, pushed, pushedState, setSubscription, subscribe, verification, verified } from "./7.2-subscribe.ts";
import { PushKeys } from "./web-push.ts";

const group = {
  rfc: "rfc8620",
  section: "7.2",
  title: "PushSubscription: what is pushed",
  requires: [core, mail],
};
const needs = ["push-listener"] as const;

const verifying = defineTests({ ...group, section: "7.2.2" }, [
  {
    id: "verification",
    level: "MUST",
    says: "When a PushSubscription is created, the server MUST immediately push a *PushVerification* object to the URL.",
    needs,
    run: async (t) => {
      const endpoint = t.pushEndpoint();
      const { id } = await subscribe(t, endpoint.url);
      const push = await endpoint.next();
      const data = pushed(t, push);
      equal(data["@type"], "PushVerification", "@type");
      equal(data.pushSubscriptionId, id, "pushSubscriptionId");
      isString(data.verificationCode, "verificationCode");
      ok(data.verificationCode.length >= 10, "the verification code has too little entropy");
    },
  },
  {
    id: "codes-differ",
    level: "MUST",
    says: "This MUST contain sufficient entropy to avoid the client being able to guess the code via brute force.",
    needs,
    run: async (t) => {
      const codes: string[] = [];
      for (const endpoint of [t.pushEndpoint(), t.pushEndpoint()]) {
        const { id } = await subscribe(t, endpoint.url);
        codes.push(await verification(t, endpoint, id));
      }
      differs(codes[0], codes[1], "verification code");
    },
  },
  {
    id: "nothing-before-verified",
    level: "MUST",
    says: "The client MUST update the push subscription with the correct verification code before the server makes any further requests to the subscription's URL.",
    needs,
    run: async (t) => {
      const endpoint = t.pushEndpoint();
      const { id } = await subscribe(t, endpoint.url);
      await verification(t, endpoint, id);
      await setSubscription(t, { update: { [id]: { verificationCode: "guess" } } });
      await t.mailbox();
      await t.sleep(2000);
      equal(endpoint.drain().length, 0, "number of pushes");
    },
  },
  {
    id: "extended-needs-no-code",
    level: "MUST",
    says: "Extending the lifetime does not require the subscription to be verified again.",
    needs,
    run: async (t) => {
      const { id, endpoint } = await verified(t, { expires: inFuture(3_600_000) });
      await setSubscription(t, { update: { [id]: { expires: inFuture(7_200_000) } } });
      await t.mailbox();
      await pushedState(t, endpoint, "Mailbox");
    },
  },
]);

const pushing = defineTests(group, [
  {
    id: "state-change",
    level: "MUST",
    says: "The JMAP server will then make an HTTP POST request to this URL for each push notification it wishes to send to the client.",
    needs,
    exclusive: true,
    run: async (t) => {
      await t.box();
      const { endpoint } = await verified(t);
      await t.mailbox();
      const { state } = await pushedState(t, endpoint, "Mailbox");
      equal(state, await t.state("Mailbox"), "state of Mailbox");
    },
  },
  {
    id: "request",
    level: "MUST",
    says: "The POST request MUST have a content type of “application/json” and contain the UTF-8 JSON-encoded object as the body. The request MUST have a “TTL” header.",
    needs,
    run: async (t) => {
      const { endpoint } = await verified(t);
      await t.mailbox();
      const { push } = await pushedState(t, endpoint, "Mailbox");
      equal(push.method, "POST", "method");
      ok(
        /^application\/json\b/i.test(String(push.headers["content-type"])),
        `Content-Type ${push.headers["content-type"]}`,
      );
      ok(/^\d+$/.test(String(push.headers.ttl)), `TTL ${push.headers.ttl}`);
    },
  },
  {
    id: "types",
    level: "MUST",
    says: "A StateChange notification will only be sent if the data for one of these types changes. Other types are omitted from the TypeState object.",
    needs,
    run: async (t) => {
      const { endpoint } = await verified(t, { types: ["Email"] });
      await t.mailbox();
      await t.email();
      const { types } = await pushedState(t, endpoint, "Email");
      same(Object.keys(types), ["Email"], "names of the types");
    },
  },
  {
    id: "encrypted",
    level: "MUST",
    says: "keys: if supplied, the server MUST use them as specified in RFC 8291 to encrypt all data sent to the push subscription.",
    needs,
    run: async (t) => {
      const secret = new PushKeys();
      const endpoint = t.pushEndpoint();
      const { id } = await subscribe(t, endpoint.url, { keys: secret.keys });
      const first = await endpoint.next();
      equal(first.headers["content-encoding"], "aes128gcm", "Content-Encoding");
      const data = pushed(t, first, secret.open(first.body));
      same([data["@type"], data.pushSubscriptionId], ["PushVerification", id], "the verification");
      const answer = await setSubscription(t, { update: { [id]: { verificationCode: data.verificationCode } } });
      ok(answer.updated && id in answer.updated, `the right code was refused: ${show(answer.notUpdated)}`);
      await t.mailbox();
      await pushedState(t, endpoint, "Mailbox", (body) => secret.open(body));
    },
  },
  {
    id: "nothing-after-expiry",
    level: "MUST",
    says: "expires: if specified, the JMAP server MUST NOT make further requests to this resource after this time.",
    needs,
    run: async (t) => {
      const { endpoint } = await verified(t, { expires: inFuture(4000) });
      await t.sleep(5000);
      endpoint.drain();
      await t.mailbox();
      await t.sleep(2000);
      equal(endpoint.drain().length, 0, "number of pushes");
    },
  },
  {
    id: "nothing-after-destroy",
    level: "MUST",
    says: "Destroyed, the subscription is no more; the URL must be erased as soon as possible.",
    needs,
    run: async (t) => {
      const { id, endpoint } = await verified(t);
      await setSubscription(t, { destroy: [id] });
      await t.sleep(1500);
      endpoint.drain();
      await t.mailbox();
      await t.sleep(2000);
      equal(endpoint.drain().length, 0, "number of pushes");
    },
  },
  {
    id: "slower-after-429",
    level: "MUST",
    says: "A “429” (Too Many Requests) response MUST cause the JMAP server to reduce the frequency of pushes.",
    needs,
    run: async (t) => {
      const { endpoint } = await verified(t);
      endpoint.status = 429;
      const changes = 12;
      for (let at = 0; at < changes; at++) {
        await t.mailbox();
        await t.sleep(150);
      }
      await t.sleep(500);
      const count = endpoint.drain().length;
      ok(count < changes, `${count} pushes of ${changes} changes, each answered with 429`);
    },
  },
]);

export const push = [...verifying, ...pushing];
