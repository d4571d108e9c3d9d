import type { IncomingMessage } from "node:http";
import { BlockList } from "node:net";

const near = new BlockList();
near.addSubnet("127.0.0.0", 8, "ipv4");
near.addAddress("::1", "ipv6");

/** The client's address: a proxy on this machine is believed about it, nobody else. */
export function clientAddress(req: IncomingMessage): string {
  const peer = (req.socket.remoteAddress ?? "").replace(/^::ffff:/, "");
  const forwarded = req.headers["x-forwarded-for"];
  if (forwarded === undefined || !near.check(peer, peer.includes(":") ? "ipv6" : "ipv4")) return peer;
  return String(forwarded).split(",").at(-1)?.trim() || peer;
}

/** The server's URL as the client sees it, without a slash at the end. */
export function baseUrl(req: IncomingMessage, publicUrl: string): string {
  if (publicUrl !== "") return publicUrl.replace(/\/+$/, "");
  const isSecure = String(req.headers["x-forwarded-proto"] ?? "").toLowerCase() === "https";
  const host = req.headers.host ?? "";
  const isHost = /^([a-z0-9._-]+|\[[0-9a-f:.]+\])(:\d{1,5})?$/i.test(host);
  return `${isSecure ? "https" : "http"}://${isHost ? host : "localhost"}`;
}
