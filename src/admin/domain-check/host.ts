import { isPrivateAddress } from "../../base/private-address.ts";
import { reverseName } from "../../base/reverse-name.ts";
import type { Checked } from "./checked.ts";
import { addressesOf, lookUp, plain, type Resolve } from "./look-up.ts";

/** Whether the server's name has an address at all, where its own addresses are not known. */
export async function checkHost(
  hostname: string,
  { resolver, allowPrivateTargets }: { resolver: Resolve; allowPrivateTargets: boolean },
): Promise<Checked> {
  const found = await addressesOf(resolver, hostname);
  const about = { record: "address", name: hostname, found: found ?? [], expected: null, needed: true };
  if (!found) return { ...about, state: "unknown", advice: "DNS gave no answer: try again" };
  if (found.length === 0) {
    const advice = `publish the address of this server: ${hostname}. 3600 IN A …, or name another host with --hostname`;
    return { ...about, state: "missing", advice };
  }
  if (!allowPrivateTargets && found.every(isPrivateAddress)) {
    return { ...about, state: "wrong", advice: "nobody outside reaches a private address: publish the public one" };
  }
  return { ...about, state: "right", advice: null };
}

/** RFC 1912 §2.1: the address must have a name, and the name lead back to it; many servers refuse mail otherwise. */
export async function checkReverse(
  address: string,
  { resolver, hostname }: { resolver: Resolve; hostname: string },
): Promise<Checked> {
  const place = `${reverseName(address)}.${address.includes(":") ? "ip6.arpa" : "in-addr.arpa"}`;
  const names = (await lookUp(resolver, place, "PTR"))?.map(plain);
  const expected = `${place}. 3600 IN PTR ${hostname}.`;
  const about = { record: "reverse DNS", name: address, found: names ?? [], expected, needed: true };
  const ask = `have whoever gave you ${address} set its name (reverse DNS, PTR) to ${hostname}`;
  if (!names) return { ...about, state: "unknown", advice: "DNS gave no answer: try again" };
  if (names.length === 0) return { ...about, state: "missing", advice: ask };
  if (!names.includes(hostname)) return { ...about, state: "wrong", advice: ask };
  const back = await addressesOf(resolver, hostname);
  if (back && !back.includes(address)) {
    const advice = `${hostname} does not lead back to ${address}: publish it as an address of ${hostname}`;
    return { ...about, state: "wrong", advice };
  }
  return { ...about, state: "right", advice: null };
}

/** RFC 5782 §2.1: whether a zone lists the address; 127.255.255.x says that we may not ask. */
export async function checkListing(address: string, zone: string, resolver: Resolve): Promise<Checked> {
  const found = await lookUp(resolver, `${reverseName(address)}.${zone}`, "A");
  const about = {
    record: "blocklist",
    name: `${address} at ${zone}`,
    found: found ?? [],
    expected: null,
    needed: true,
  };
  const isUnanswered = !found || found.some((one) => one.startsWith("127.255."));
  if (isUnanswered) return { ...about, state: "unknown", advice: `${zone} answers no questions of this resolver` };
  if (!found.some((one) => one.startsWith("127."))) return { ...about, state: "right", advice: null };
  return { ...about, state: "wrong", advice: `ask ${zone} why it lists ${address}, and to remove it` };
}
