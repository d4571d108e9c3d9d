import { isIPv4 } from "node:net";

/** Whether the host of a URL is this machine, so that what is sent there goes over no line. */
export function isLoopback(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, "").toLowerCase();
  return host === "localhost" || host === "::1" || (isIPv4(host) && host.startsWith("127."));
}
