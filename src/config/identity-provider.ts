import { option } from "./option.ts";
import { boolean, list, text, url } from "./values.ts";

/** Signing in to the inbox at an identity provider of the operator's own (OpenID Connect). */
export const identityProvider = {
  oidcIssuer: option({
    default: "",
    shown: "none",
    parse: url("https", "http"),
    help: "Identity provider (OpenID Connect) where people may sign in to the inbox, such as https://id.example.com; http on loopback alone. It decides whose verified address somebody has.",
  }),
  oidcClientId: option({
    default: "",
    shown: "none",
    parse: text,
    help: "What the identity provider calls this server.",
  }),
  oidcClientSecretFile: option({
    default: "",
    shown: "none",
    parse: text,
    help: "File with the secret that the identity provider gave this server.",
  }),
  oidcAcr: option({
    default: "",
    shown: "none",
    parse: list(text),
    help: "Values of acr by which the identity provider says that it has asked for a second factor; it is asked for them, and whoever comes with one needs no second factor here. (Default: who has or needs one here is asked for it, whatever the provider asks)",
  }),
  oidcCreate: option({
    default: "false",
    parse: boolean,
    help: "Make an account for whoever signs in there with a verified address in a domain of this server.",
  }),
};
