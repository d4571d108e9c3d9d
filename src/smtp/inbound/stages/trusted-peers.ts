import { BlockList, isIP } from "node:net";
import { type Check, pass, refuse } from "./stage.ts";

const loopback = ["127.0.0.0/8", "::1"];
const family = (address: string) => (isIP(address) === 6 ? "ipv6" : "ipv4");

/** Lets in this machine and the listed networks. `isLocal`: peers come over a socket file, whose permissions decide. */
export function trustedPeers({ peers, isLocal }: { peers: readonly string[]; isLocal: boolean }): Check<"connect"> {
  const trusted = new BlockList();
  for (const network of [...loopback, ...peers]) {
    const [address = "", prefix] = network.split("/");
    if (prefix === undefined) trusted.addAddress(address, family(address));
    else trusted.addSubnet(address, Number(prefix), family(address));
  }
  return ({ address }) => {
    if (isLocal || (isIP(address) !== 0 && trusted.check(address, family(address)))) return pass();
    return refuse(554, "5.7.1", "LMTP is for the mail server in front of this one: see --lmtp-peers");
  };
}
