import { BlockList, isIP } from "node:net";

const ipv4: readonly (readonly [string, number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["224.0.0.0", 3],
];
const ipv6: readonly (readonly [string, number])[] = [
  ["::", 96],
  ["64:ff9b:1::", 48],
  ["100::", 64],
  ["fc00::", 7],
  ["fe80::", 9],
  ["ff00::", 8],
];

const unreachable = new BlockList();
for (const [network, prefix] of ipv4) {
  unreachable.addSubnet(network, prefix, "ipv4");
  // A translator (RFC 6052) or a 6to4 relay (RFC 3056) would reach the same address.
  unreachable.addSubnet(`64:ff9b::${network}`, 96 + prefix, "ipv6");
  const [a, b, c, d] = network.split(".").map((byte) => Number(byte).toString(16).padStart(2, "0"));
  unreachable.addSubnet(`2002:${a}${b}:${c}${d}::`, 16 + prefix, "ipv6");
}
for (const [network, prefix] of ipv6) unreachable.addSubnet(network, prefix, "ipv6");

/** Whether an address is loopback, private, link-local or multicast, however it is written. */
export function isPrivateAddress(address: string): boolean {
  // BlockList checks an IPv4-mapped address as the IPv4 address it stands for.
  return unreachable.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");
}
