import type { Refusal } from "../admin/refused.ts";

/** Words a refusal for the terminal. */
export function tellRefusal(why: Refusal): string {
  switch (why.type) {
    case "notAnAddress":
      return `"${why.text}" is not an email address`;
    case "notAnAddressOrDomain":
      return `"${why.text}" is neither an email address nor an @domain`;
    case "notADomain":
      return `"${why.text}" is not a domain name`;
    case "controlCharacters":
      return "a name may not contain control characters";
    case "nameTooLong":
      return `a name may have at most ${why.limit} characters`;
    case "taken":
      return `${why.address} exists already`;
    case "noAccount":
      return `there is no account ${why.login} (see: posthorn account list)`;
    case "notRemoved":
      return `no account ${why.login} was removed lately`;
    case "heldByLaw":
      return `a legal hold covers ${why.login} (see: posthorn hold list)`;
    case "noHold":
      return `there is no hold ${why.id} (see: posthorn hold list)`;
    case "noRule":
      return `there is no rule ${why.id} (see: posthorn retention list)`;
    case "noAccountBehind":
      return `there is no account with the address ${why.text}`;
    case "noAddress":
      return `there is no address ${why.text}`;
    case "ownAddress":
      return `${why.address} is an account's main address (to remove the account: posthorn account remove ${why.address})`;
    case "noDomain":
      return `there is no domain ${why.text} (see: posthorn domain list)`;
    case "noRoom":
      return "the account has no room for more mail: raise its quota (posthorn account quota), and run this again";
    case "changedMeanwhile":
      return "somebody has destroyed mailboxes of the account meanwhile: run this again";
    case "domainInUse":
      return `${why.name} still has addresses: ${why.addresses.join(", ")}`;
    case "notHeld":
      return `mail of ${why.login} is not held (see: posthorn standing show ${why.login})`;
    case "heldAlready":
      return `mail of ${why.login} is held already (see: posthorn standing show ${why.login})`;
    case "notSuppressed":
      return `${why.address} is not on this list (see: posthorn suppression list)`;
    case "notMasked":
      return `${why.address} is not a masked address (see: posthorn address masks ACCOUNT)`;
    case "tooManyMasks":
      return `an account may have ${why.limit} masked addresses: remove one that is no longer used`;
    case "forwardsToItself":
      return `${why.address} would send its mail to itself`;
    case "forwardsNowhere":
      return `${why.address} would lose its mail: name where it goes with --to, or leave out --no-copy`;
    case "tooManyForwards":
      return `an address may lead to ${why.limit} others at most`;
    case "noCredential":
      return `${why.login} has no credential ${why.id}`;
    case "notARedirect":
      return `"${why.text}" is not where a program may be answered: write https://…, http://127.0.0.1/… or a scheme such as com.example:/…, without a fragment`;
    case "noOauthClient":
      return `there is no program ${why.text} (see: posthorn oauth-client list)`;
    case "notInDomain":
      return `${why.address} is not in ${why.domain}: leave out --domain, which the address says`;
    case "domainUnnamed":
      return why.domains.length === 0
        ? "there are no domains yet (see: posthorn domain add)"
        : `name one of the domains with --domain: ${why.domains.join(", ")}`;
    case "noInvite":
      return `there is no open invitation ${why.id} (see: posthorn invite list)`;
    case "ownLogin":
      return "a login always has access to its own account";
    case "notAMail":
      return `"${why.text}" is not the id of a mail, as "posthorn queue list" shows them`;
    case "noReport":
      return `there is no report ${why.text} (see: posthorn reports list)`;
    case "noMail":
      return `no mail ${why.text} is known here`;
    case "notAHost":
      return `"${why.text}" is not a host, or a host and a port`;
    case "notPublished":
      return `DNS does not have ${why.names} yet: publish that first`;
    case "keysInUse":
      return `the keys were changed a while ago: until ${why.until}, the old ones stay in DNS`;
    case "notQuarantined":
      return `there is no message ${why.text} in quarantine (see: posthorn quarantine list)`;
    case "notShared":
      return `${why.login} had no access to ${why.text}`;
    case "domainsMissing":
      return "a domain-admin looks after some domains: name them with --domain";
    case "roleOfAllDomains":
      return `${why.role} is a role for all domains: leave out --domain`;
    case "noOperator":
      return `${why.login} is no operator (see: posthorn operator list)`;
    case "noCitus":
      return "the database is a plain Postgres: only Citus has nodes to add, drain and move accounts between";
    case "notMigrated":
      return "the database has no tables of Posthorn yet (see: posthorn migrate)";
    case "notANode":
      return `"${why.text}" is not a node such as pg3.example.org or pg3.example.org:5432`;
    case "noNode":
      return `${why.node} is not a node of this cluster; it has ${why.nodes.join(", ")}`;
    case "nodeUnfit":
      return [`${why.node} was not added:`, ...why.problems.map((problem) => `  ${problem}`)].join("\n");
    case "takesNoShards":
      return `${why.node} takes no accounts: it is the coordinator, drained or not active (see: posthorn cluster status)`;
    case "lastNode":
      return `no node but ${why.node} takes accounts: add one first (posthorn cluster add-node)`;
    case "coordinatorUnnamed":
      return "--database-url must name the coordinator by the address under which the other nodes reach it";
    case "movesUnderWay":
      return "shards are being moved already (posthorn cluster rebalance shows how far that is): try again afterwards";
  }
}
