import { isIP } from "node:net";

/** RFC 1035 §3.5, RFC 3596 §2.5, RFC 5782 §2.1: the labels of an IP address, reversed. Undefined for anything else. */
export function reverseName(address: string): string | undefined {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, "");
  if (isIP(plain) === 4) return plain.split(".").reverse().join(".");
  if (isIP(plain) !== 6) return undefined;
  const [head = "", tail] = new URL(`http://[${plain.split("%")[0]}]`).hostname.slice(1, -1).split("::");
  const [left, right] = [head, tail ?? ""].map((part) => part.split(":").filter((group) => group !== ""));
  const zeros = Array.from({ length: 8 - left!.length - right!.length }, () => "0");
  const groups = [...left!, ...zeros, ...right!].map((group) => group.padStart(4, "0"));
  return [...groups.join("")].reverse().join(".");
}
