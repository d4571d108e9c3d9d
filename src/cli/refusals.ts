import type { Refusal } from "../admin/refused.ts";

/** What a person is told of a refusal. */
export function tellRefusal(why: Refusal): string {
  switch (why.type) {
    case "notAnAddress":
      return `"${why.text}" is no e-mail address`;
    case "notAnAddressOrDomain":
      return `"${why.text}" is no e-mail address and no @domain`;
    case "notADomain":
      return `"${why.text}" is no domain name`;
    case "controlCharacters":
      return "a name has no control characters";
    case "nameTooLong":
      return `a name has ${why.limit} characters at most`;
    case "taken":
      return `${why.address} is taken`;
    case "noAccount":
      return `there is no account ${why.login} (see: posthorn account list)`;
    case "noAccountBehind":
      return `there is no account ${why.text}`;
    case "noAddress":
      return `there is no address ${why.text}`;
    case "ownAddress":
      return `${why.address} is an account's own address (to remove that: posthorn account remove ${why.address})`;
    case "noDomain":
      return `there is no domain ${why.text} (see: posthorn domain list)`;
    case "domainInUse":
      return `${why.name} still has addresses: ${why.addresses.join(", ")}`;
    case "noCredential":
      return `${why.login} has no credential ${why.id}`;
    case "ownLogin":
      return "an account is always open to its own login";
    case "notShared":
      return `${why.text} was not open to ${why.login}`;
  }
}
