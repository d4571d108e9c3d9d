import { option } from "./option.ts";
import { boolean, text, url } from "./values.ts";

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
  oidcCreate: option({
    default: "false",
    parse: boolean,
    help: "Make an account for whoever signs in there with a verified address in a domain of this server.",
  }),
};
