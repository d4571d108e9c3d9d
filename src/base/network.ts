/** The network of an address: the address itself for IPv4, the /64 for IPv6, since one customer holds a whole /64. */
export function networkOf(address: string): string {
  if (!address.includes(":")) return address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped) return mapped[1]!;
  const [head = "", tail] = address.toLowerCase().split("%")[0]!.split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length;
  return [...left, ...Array.from({ length: Math.max(0, zeros) }, () => "0"), ...right].slice(0, 4).join(":");
}

/** What one operator may well hold: the /24 of an IPv4 address, the /48 of an IPv6 address. */
export function neighbourhoodOf(address: string): string {
  const network = networkOf(address);
  const [parts, sign] = network.includes(":") ? [network.split(":"), ":"] : [network.split("."), "."];
  return parts.slice(0, 3).join(sign);
}
