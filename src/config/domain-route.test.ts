import { expect, test } from "vitest";
import { domainRoute, showDomainRoute } from "./domain-route.ts";

test.each([
  ["example.org=relay.example.net:2525", { domain: "example.org", server: "smtp://relay.example.net:2525" }],
  ["Bücher.example=smtps://relay.test", { domain: "xn--bcher-kva.example", server: "smtps://relay.test" }],
  [
    "example.org=[::1]:25:/run/secrets/relay",
    { domain: "example.org", server: "smtp://[::1]:25", loginFile: "/run/secrets/relay" },
  ],
])("%s names a domain and its server", (text, route) => {
  expect(domainRoute(text)).toEqual(route);
  expect(domainRoute(showDomainRoute(route))).toEqual(route);
});
