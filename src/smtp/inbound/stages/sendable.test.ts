import { expect, test } from "vitest";
import { sendable } from "./sendable.ts";
import { factsOf, peer } from "./testing.ts";

test("a recipient may be anywhere, with an address that can be written", () => {
  const ask = (address: string) => sendable(peer(), factsOf.rcpt({ path: { address, parameters: {} } }));
  expect(ask("eve@far.test")).toEqual({ kind: "pass", found: { isOutgoing: true } });
  for (const address of ["postmaster", "a@[192.0.2.1]"]) {
    expect(ask(address)).toMatchObject({ kind: "refuse", code: 553, status: "5.1.3" });
  }
});
