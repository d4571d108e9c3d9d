import { option } from "./option.ts";
import { boolean, dnsList, hostName, list, type Parse } from "./values.ts";

interface DmarcRule {
  domain: string;
  word: "accept" | "junk" | "reject";
}

/** domain=accept, domain=junk or domain=reject. */
const dmarcOverride: Parse<DmarcRule> = (value) => {
  const [, domain = "", word] = /^([^=]+)=(accept|junk|reject)$/.exec(value) ?? [];
  if (word === undefined) throw new Error(`"${value}" is not a rule such as example.org=accept, =junk or =reject`);
  return { domain: domainName(domain), word: word as DmarcRule["word"] };
};

const domainName: Parse<string> = (value) => hostName(value).toLowerCase().replace(/\.$/, "");

/** How mail of other servers is judged at the door. */
export const acceptance = {
  dnsLists: option({
    default: "",
    shown: "none",
    parse: list(dnsList),
    show: (lists: { zone: string; weight: number }[]) => lists.map(({ zone, weight }) => `${zone}=${weight}`).join(","),
    help: "Lists of addresses in DNS to look up peers in, a comma list of zone=weight; 10 together refuse, a negative weight speaks for a peer.",
  }),
  dmarcOverride: option({
    default: "",
    shown: "none",
    parse: list(dmarcOverride),
    show: (rules: DmarcRule[]) => rules.map((rule) => `${rule.domain}=${rule.word}`).join(","),
    help: "What becomes of mail that fails DMARC for a domain and those below it, instead of what its policy says, a comma list of domain=accept, =junk or =reject.",
  }),
  trustedArc: option({
    default: "",
    shown: "none",
    parse: list(domainName),
    help: "Forwarders and lists whose ARC seals are believed, a comma list of the domains that seal.",
  }),
  greylist: option({
    default: "false",
    parse: boolean,
    help: "Have unknown servers try again once: strangers without a passing SPF wait for 5 minutes.",
  }),
};
