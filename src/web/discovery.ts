import type { IncomingMessage, ServerResponse } from "node:http";
import { normalizeDomain } from "../base/address.ts";

/** What mail programs find here without signing in. */
export interface Discovered {
  /** The name of the mail server. */
  hostname: string;
  /** The ports of the doors that there are. */
  submissions: number | undefined;
  submission: number | undefined;
  /** The URL of this server as the client sees it, without a final slash. */
  baseUrl(req: IncomingMessage): string;
}

const configPaths = new Set([
  "/mail/config-v1.1.xml",
  "/.well-known/autoconfig/mail/config-v1.1.xml",
  "/.well-known/mail-v1.xml",
]);

/** Answers a request for how to reach this server (draft-ietf-mailmaint-autoconfig); false for any other. */
export function discovery(about: Discovered): (req: IncomingMessage, res: ServerResponse) => boolean {
  return (req, res) => {
    const [path = "", query = ""] = (req.url ?? "/").split("?", 2);
    const host = (req.headers.host ?? "").replace(/:\d+$/, "");
    const isRead = req.method === "GET" || req.method === "HEAD";
    if (!isRead || !configPaths.has(path)) return false;
    const body = autoconfig(domainOf(host, query), about, about.baseUrl(req));
    res.writeHead(200, {
      "Content-Type": "application/xml; charset=utf-8",
      "Content-Length": Buffer.byteLength(body),
      "Cache-Control": "public, max-age=3600",
      "X-Content-Type-Options": "nosniff",
      // Programs that run in a browser look here too; it is the same for everybody.
      "Access-Control-Allow-Origin": "*",
    });
    res.end(req.method === "HEAD" ? undefined : body);
    return true;
  };
}

/** The domain that is asked about. Whether it is one of ours is not told: the answer is the same for all. */
function domainOf(host: string, query: string): string | undefined {
  const address = new URLSearchParams(query).get("emailaddress") ?? "";
  const named = address.includes("@")
    ? address.slice(address.lastIndexOf("@") + 1)
    : host.replace(/^autoconfig\./i, "");
  return normalizeDomain(named);
}

/** All that is put in has the letters of a host name or a URL alone. */
function autoconfig(
  domain: string | undefined,
  { hostname, submissions, submission }: Discovered,
  url: string,
): string {
  const outgoing = (port: number, socket: "SSL" | "STARTTLS") => `
    <outgoingServer type="smtp">
      <hostname>${hostname}</hostname>
      <port>${port}</port>
      <socketType>${socket}</socketType>
      <authentication>password-cleartext</authentication>
      <username>%EMAILADDRESS%</username>
    </outgoingServer>`;
  const name = domain ?? hostname;
  return `<?xml version="1.0" encoding="UTF-8"?>
<clientConfig version="1.1">
  <emailProvider id="${name}">
    <domain>${name}</domain>
    <displayName>${name.slice(0, 60)}</displayName>
    <displayShortName>${name.slice(0, 20)}</displayShortName>
    <!-- Mail is read by JMAP (RFC 8620, RFC 8621). There is no IMAP and no POP3. -->
    <incomingServer type="jmap">
      <url>${url.replaceAll("&", "&amp;").replaceAll("<", "&lt;")}/.well-known/jmap</url>
      <authentication system="http">basic</authentication>
      <username>%EMAILADDRESS%</username>
    </incomingServer>${submissions ? outgoing(submissions, "SSL") : ""}${submission ? outgoing(submission, "STARTTLS") : ""}
  </emailProvider>
</clientConfig>
`;
}
