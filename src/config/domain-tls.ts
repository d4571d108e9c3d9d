import { normalizeDomain } from "../base/address.ts";
import { option } from "./option.ts";
import { list, oneOf, optionalDnsServer, type Parse } from "./values.ts";

/** The TLS for mail to a domain; ".domain" means its subdomains, "*" all domains. */
interface DomainTls {
  domain: string;
  level: "none" | "may" | "encrypt" | "verify";
}

const level = oneOf("none", "may", "encrypt", "verify");

/** domain=level */
const domainTls: Parse<DomainTls> = (value) => {
  const [, dot = "", name = "", given = ""] = /^(\.?)([^=]+)=([^=]+)$/.exec(value) ?? [];
  const domain = name === "*" && dot === "" ? "*" : normalizeDomain(name);
  if (domain === undefined) throw new Error(`"${value}" is not a rule such as example.org=verify`);
  return { domain: `${dot}${domain}`, level: level(given) };
};

/** As the user would write it. */
const showDomainTls = (rule: DomainTls): string => `${rule.domain}=${rule.level}`;

/** What servers of other domains must prove. */
export const transportSecurity = {
  tlsRules: option({
    default: "",
    shown: "as each domain asks",
    parse: list(domainTls),
    show: (rules: DomainTls[]) => rules.map(showDomainTls).join(","),
    help: "TLS for mail to some domains, whatever they ask for: a comma list of domain=none, may, encrypt or verify; .domain for its subdomains, * for all.",
  }),
  dnssecResolver: option({
    default: "",
    shown: "none, there is no DANE",
    parse: optionalDnsServer,
    help: "A DNS server, ip or ip:port, that validates DNSSEC and is trusted, as is the way to it: mail then goes by DANE.",
  }),
};
