import { expect, test } from "vitest";
import { redisPrefix, redisUrl } from "./redis-url.ts";

const single = { kind: "single", db: 0, isTls: false };
const local = { host: "127.0.0.1", port: 6379 };

test.each([
  ["redis://127.0.0.1", { ...single, hosts: [local] }],
  ["redis://127.0.0.1:7000/3", { ...single, hosts: [{ ...local, port: 7000 }], db: 3 }],
  ["redis://[2001:db8::1]:7000", { ...single, hosts: [{ host: "2001:db8::1", port: 7000 }] }],
  ["redis://:p%40ss@127.0.0.1", { ...single, hosts: [local], password: "p@ss" }],
  ["rediss://me:it:is@127.0.0.1", { ...single, hosts: [local], isTls: true, username: "me", password: "it:is" }],
  ["rediss://127.0.0.1?ca=/etc/ca.pem", { ...single, hosts: [local], isTls: true, ca: "/etc/ca.pem" }],
  ["redis://a:7000,b:7001,c", { ...single, kind: "cluster", hosts: ["a 7000", "b 7001", "c 6379"].map(hostOf) }],
  ["redis://a?cluster=true", { ...single, kind: "cluster", hosts: [hostOf("a 6379")] }],
  [
    "redis://a,b:7001/2?sentinel=mail",
    { ...single, kind: "sentinel", db: 2, master: "mail", hosts: ["a 26379", "b 7001"].map(hostOf) },
  ],
])("%s is read", (text, expected) => {
  expect(redisUrl(text)).toEqual({ text, ...expected });
});

test.each([
  ["http://a:secret@b", "is not a URL"],
  ["redis://", "is not a URL"],
  ["redis://secret@a:b:c", "host:port"],
  ["redis://a:70000", "host:port"],
  ["redis://a?secret=1&sentinel=x", 'parameter "secret"'],
  ["redis://a,b/1", "a Cluster has none"],
  ["redis://a?cluster=true&sentinel=x", "at once"],
  ["redis://%zz@a", "percent-encoded"],
])("%s is refused", (text, why) => {
  expect(() => redisUrl(text)).toThrow(why);
});

test("without a URL there is no Redis, and a prefix has no signs of its own meaning", () => {
  expect(redisUrl("")).toBeUndefined();
  expect(redisPrefix("mail.example:")).toBe("mail.example:");
  for (const prefix of ["a{b}", "a b", "a*"]) expect(() => redisPrefix(prefix)).toThrow("letters");
});

function hostOf(text: string) {
  const [host, port] = text.split(" ");
  return { host, port: Number(port) };
}
