import { expect, test } from "vitest";
import { peer } from "./testing.ts";
import { trustedPeers } from "./trusted-peers.ts";

const ask = (address: string, peers: string[] = [], isLocal = false) =>
  trustedPeers({ peers, isLocal })(peer(address), {});

test("this machine and the listed networks are let in, and nobody else", () => {
  for (const address of ["127.0.0.1", "127.9.9.9", "::1"]) expect(ask(address)).toMatchObject({ kind: "pass" });
  for (const address of ["192.0.2.7", "2001:db8::7", ""]) {
    expect(ask(address)).toMatchObject({ kind: "refuse", code: 554, status: "5.7.1" });
  }
  const peers = ["192.0.2.0/28", "2001:db8::7"];
  for (const address of ["192.0.2.7", "2001:db8::7"]) expect(ask(address, peers)).toMatchObject({ kind: "pass" });
  for (const address of ["192.0.2.16", "2001:db8::8"]) expect(ask(address, peers)).toMatchObject({ kind: "refuse" });
});

test("over a socket file, its permissions decide", () => {
  expect(ask("", [], true)).toMatchObject({ kind: "pass" });
});
