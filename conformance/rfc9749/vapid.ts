import { createPublicKey, verify } from "node:crypto";
import { core, type Json, mail } from "../client/types.ts";
import { subscribe } from "../rfc8620/7.2-subscribe.ts";
import { defineTests } from "../runner/define.ts";
import { equal, isString, ok } from "../runner/expect.ts";

const vapid = "urn:ietf:params:jmap:webpush-vapid";
const rfc = "rfc9749";
const requires = [core, mail, vapid];

const discovery = defineTests({ rfc, section: "3", title: "The capability", requires }, [
  {
    id: "key",
    level: "MUST",
    says: "applicationServerKey: the public key that push services use to authenticate the application server, in URL-safe base64 (an uncompressed point of P-256).",
    run: (t) => {
      const key = (t.session.capabilities[vapid] as Json).applicationServerKey;
      isString(key, "applicationServerKey");
      ok(/^[A-Za-z0-9_-]+$/.test(key), `applicationServerKey ${key}`);
      const octets = Buffer.from(key, "base64url");
      equal(octets.length, 65, "number of octets");
      equal(octets[0], 4, "first octet");
    },
  },
]);

const signing = defineTests({ rfc, section: "4", title: "Issuing push notifications", requires }, [
  {
    id: "authorization",
    level: "MUST",
    says: "The server MUST authenticate its POST requests to the push resource using the application server key (RFC 8292), also the PushVerification.",
    needs: ["push-listener"],
    run: async (t) => {
      const endpoint = t.pushEndpoint();
      await subscribe(t, endpoint.url);
      const { headers } = await endpoint.next();
      const header = String(headers.authorization);
      const token = /^vapid\b.*\bt=([\w.-]+)/i.exec(header)?.[1] ?? "";
      const key = /\bk=([\w-]+)/i.exec(header)?.[1];
      equal(key, (t.session.capabilities[vapid] as Json).applicationServerKey, "k");
      const point = Buffer.from(key ?? "", "base64url");
      const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((half) => half.toString("base64url"));
      const publicKey = createPublicKey({
        format: "jwk",
        key: { kty: "EC", crv: "P-256", x: x as string, y: y as string },
      });
      const [head, claims, signature] = token.split(".");
      const signed = Buffer.from(`${head}.${claims}`);
      const sealed = Buffer.from(signature ?? "", "base64url");
      ok(verify("sha256", signed, { key: publicKey, dsaEncoding: "ieee-p1363" }, sealed), "the signature is wrong");
      const { aud, exp } = JSON.parse(String(Buffer.from(claims ?? "", "base64url"))) as Json;
      equal(aud, new URL(endpoint.url).origin, "aud");
      const ahead = Number(exp) - Date.now() / 1000;
      ok(ahead > 0 && ahead <= 86_400 + 60, `exp lies ${ahead} s ahead`);
    },
  },
]);

export const vapidTests = [...discovery, ...signing];
