import { normalizeDomain } from "../base/address.ts";
import { hostName, type Parse } from "./values.ts";

/** A server that takes the mail of a domain instead of the domain's own servers. */
export interface DomainRoute {
  domain: string;
  /** As in a URL: smtp://host, smtp://host:port, smtps://host. */
  server: string;
  /** The path of a file with user:password. */
  loginFile?: string;
}

const form = /^([^=]+)=(smtps?:\/\/)?(\[[0-9a-f:.]+\]|[^:/[\]]+)(:\d+)?(?::(\/.+))?$/i;

/** domain=host, domain=host:port or domain=smtps://host:port; and then :/path of a file with user:password. */
export const domainRoute: Parse<DomainRoute> = (value) => {
  const [, name = "", scheme = "smtp://", host = "", port = "", loginFile] = form.exec(value) ?? [];
  const domain = normalizeDomain(name);
  const server = `${scheme.toLowerCase()}${host}${port}`;
  const parsed = URL.parse(server);
  if (domain === undefined || !parsed || parsed.port === "0") {
    throw new Error(`"${value}" is not a route such as example.org=relay.example.net:587`);
  }
  if (!host.startsWith("[")) hostName(host);
  return { domain, server, ...(loginFile !== undefined && { loginFile }) };
};

/** As the user would write it. */
export function showDomainRoute({ domain, server, loginFile }: DomainRoute): string {
  return `${domain}=${server.replace(/^smtp:\/\//, "")}${loginFile === undefined ? "" : `:${loginFile}`}`;
}
