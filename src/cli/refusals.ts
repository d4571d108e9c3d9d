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
      return "a display name may not contain control characters";
    case "nameTooLong":
      return `a display name may have at most ${why.limit} characters`;
    case "taken":
      return `${why.address} exists already`;
    case "noAccount":
      return `there is no account ${why.login} (see: posthorn account list)`;
    case "noAccountBehind":
      return `there is no account with the address ${why.text}`;
    case "noAddress":
      return `there is no address ${why.text}`;
    case "ownAddress":
      return `${why.address} is an account's main address (to remove the account: posthorn account remove ${why.address})`;
    case "noDomain":
      return `there is no domain ${why.text} (see: posthorn domain list)`;
    case "domainInUse":
      return `${why.name} still has addresses: ${why.addresses.join(", ")}`;
    case "noCredential":
      return `${why.login} has no credential ${why.id}`;
    case "ownLogin":
      return "a login always has access to its own account";
    case "notQuarantined":
      return `there is no message ${why.text} in quarantine (see: posthorn quarantine list)`;
    case "notShared":
      return `${why.login} had no access to ${why.text}`;
  }
}
