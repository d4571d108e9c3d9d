import type { Authenticator } from "../../../auth/login.ts";
import type { ServerOptions } from "../options.ts";
import { connections } from "./connections.ts";
import { encrypted } from "./encrypted.ts";
import { loginRate } from "./login-rate.ts";
import { loop } from "./loop.ts";
import { namedSender } from "./null-sender.ts";
import { offeredParameters } from "./offered-parameters.ts";
import { ownSender } from "./own-sender.ts";
import { sendable } from "./sendable.ts";
import { signingIn } from "./sign-in.ts";
import { smuggling } from "./smuggling.ts";
import { named, type Stages } from "./stage.ts";
import { submissionParameters } from "./submission-parameters.ts";
import { utf8Address } from "./utf8-address.ts";

/** All checks of mail from our own users: for each stage, in their order. */
export function createSubmissionStages(options: ServerOptions & { authenticator: Authenticator }): Stages {
  const { signIn, stillSignedIn } = signingIn(options);
  const rate = loginRate(options);
  const sender = ownSender(options);
  const parameters = submissionParameters(options);
  return {
    connect: [named("connections", connections(options))],
    secure: [],
    auth: [named("sign-in", signIn)],
    helo: [],
    mail: [
      named("encrypted", encrypted),
      named("sign-in", stillSignedIn),
      named(
        "offered-parameters",
        offeredParameters("SIZE", "BODY", "SMTPUTF8", "REQUIRETLS", "AUTH", "RET", "ENVID", "HOLDFOR", "HOLDUNTIL"),
      ),
      named("submission-parameters", parameters.ofMail),
      named("utf8-address", utf8Address),
      named("null-sender", namedSender),
      named("own-sender", sender),
      named("login-rate", rate.messages),
    ],
    rcpt: [
      named("offered-parameters", offeredParameters("NOTIFY", "ORCPT")),
      named("submission-parameters", parameters.ofRcpt),
      named("utf8-address", utf8Address),
      named("sendable", sendable),
      named("login-rate", rate.recipients),
    ],
    data: [
      named("smuggling", smuggling),
      named("loop", loop),
      named("sign-in", stillSignedIn),
      named("own-sender", sender),
    ],
  };
}
