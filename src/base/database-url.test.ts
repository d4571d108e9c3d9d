import { expect, test } from "vitest";
import { atHost, eachHost } from "./database-url.ts";

test.each([
  ["postgres://db/mail", ["postgres://db/mail"]],
  [
    "postgresql://u:p%40ss@one:5432,two,[2001:db8::1]:5433/mail?sslmode=require",
    [
      "postgresql://u:p%40ss@one:5432/mail?sslmode=require",
      "postgresql://u:p%40ss@two/mail?sslmode=require",
      "postgresql://u:p%40ss@[2001:db8::1]:5433/mail?sslmode=require",
    ],
  ],
  ["postgres://u@/mail?host=/run/postgresql", ["postgres://u@/mail?host=/run/postgresql"]],
  ["not a URL", ["not a URL"]],
])("the hosts of %s", (url, urls) => {
  expect(eachHost(url)).toEqual(urls);
});

test.each([
  ["postgres://u:a,b@one:1/mail?x=1", "node2", 5432, "postgres://u:a,b@node2:5432/mail?x=1"],
  ["postgres://u@/mail?host=/run/postgresql&x=1", "2001:db8::2", 6000, "postgres://u@[2001:db8::2]:6000/mail?x=1"],
  ["postgres://one,two/mail?port=7", "node2", 5432, "postgres://node2:5432/mail"],
])("%s at %s:%i", (url, host, port, expected) => {
  expect(atHost(url, host, port)).toBe(expected);
});
