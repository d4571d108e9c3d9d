import { expect, test } from "vitest";
import { isPrivateAddress } from "./private-address.ts";

test.each([
  "127.0.0.1",
  "10.1.2.3",
  "172.31.0.1",
  "192.168.1.1",
  "169.254.169.254",
  "100.64.0.1",
  "0.0.0.0",
  "224.0.0.1",
  "255.255.255.255",
  "::",
  "::1",
  "::7f00:1",
  "::ffff:127.0.0.1",
  "::ffff:7f00:1",
  "::ffff:a00:1",
  "fe80::1",
  "fec0::1",
  "fd12::1",
  "ff02::1",
  "64:ff9b::127.0.0.1",
  "64:ff9b::a9fe:a9fe",
  "2002:7f00:1::1",
  "2002:c0a8:101::",
])("%s is private", (address) => {
  expect(isPrivateAddress(address)).toBe(true);
});

test.each([
  "8.8.8.8",
  "172.32.0.1",
  "192.0.1.1",
  "2606:4700::1111",
  "64:ff9b::8.8.8.8",
  "2002:808:808::",
  "::ffff:8.8.8.8",
])("%s is public", (address) => {
  expect(isPrivateAddress(address)).toBe(false);
});
