import { expect, test } from "vitest";
import { type Failure, failureReply, isTlsFailure } from "./failure.ts";

const server = { name: "mx.far.test", address: "192.0.2.1" };
const failure = (fields: Partial<Failure>): Failure => Object.assign(new Error(fields.message ?? "what"), fields);
const reply = (fields: Partial<Failure>) => failureReply(failure(fields), server);

test.each([
  [{ code: "ESOCKET", originalCode: "ECONNREFUSED" }, "4.4.1 mx.far.test [192.0.2.1]: connection refused"],
  [{ code: "ESOCKET", originalCode: "EHOSTUNREACH" }, "4.4.1 mx.far.test [192.0.2.1]: no route to this host"],
  [{ code: "ETIMEDOUT", originalCode: "CONNECT_TIMEOUT" }, "4.4.1 mx.far.test [192.0.2.1]: connection timed out"],
  [{ code: "ETIMEDOUT", originalCode: "GREETING_TIMEOUT" }, "4.4.2 mx.far.test [192.0.2.1]: no greeting in time"],
  [{ code: "ECONNECTION" }, "4.4.2 mx.far.test [192.0.2.1]: connection closed"],
  [{ code: "EDNS", originalCode: "ENOTFOUND" }, "4.4.3 mx.far.test [192.0.2.1]: DNS knows no address"],
  [{ code: "EPROTOCOL", response: "what?\r\n" }, "4.5.0 mx.far.test [192.0.2.1]: a reply that is none: what?"],
  [{ code: "EDNS", originalCode: "ESERVFAIL" }, "4.4.3 mx.far.test [192.0.2.1]: DNS did not answer"],
  [
    { code: "ECONNECTION", originalCode: "ERR_NEW", message: "a bad option" },
    "4.4.0 mx.far.test [192.0.2.1]: a bad option",
  ],
  [{ code: "ENEW", message: "something\nnew" }, "4.4.0 mx.far.test [192.0.2.1]: something new"],
  [
    { code: "ETLS", message: "Error initiating TLS - self-signed certificate" },
    "4.7.5 mx.far.test [192.0.2.1]: TLS handshake failed: self-signed certificate",
  ],
  [
    { code: "ESOCKET", originalCode: "ERR_SSL_WRONG_VERSION_NUMBER", reason: "wrong version number" },
    "4.7.5 mx.far.test [192.0.2.1]: TLS handshake failed: wrong version number",
  ],
  [
    { code: "ETLS", originalCode: "ECONNRESET" },
    "4.7.5 mx.far.test [192.0.2.1]: TLS handshake failed: connection reset",
  ],
  [
    { code: "ETLS", message: "Error upgrading", response: "454 4.3.0 no TLS today\r\n" },
    "4.7.5 mx.far.test [192.0.2.1]: TLS refused: 454 4.3.0 no TLS today",
  ],
] as const)("%j is told in words", (fields, words) => {
  expect(reply(fields)).toBe(`451 ${words}`);
});

test("without an error the connection was closed", () => {
  expect(failureReply(undefined, server)).toBe("451 4.4.2 mx.far.test [192.0.2.1]: connection closed");
});

test.each([
  "CERT_HAS_EXPIRED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "ERR_TLS_CERT_ALTNAME_INVALID",
])("%s is about TLS", (originalCode) => {
  expect(isTlsFailure(failure({ code: "ESOCKET", originalCode }))).toBe(true);
});

test.each(["ECONNREFUSED", "ECONNRESET", "EDNS", "ETIMEDOUT"])("%s is not about TLS", (originalCode) => {
  expect(isTlsFailure(failure({ code: "ESOCKET", originalCode }))).toBe(false);
});
