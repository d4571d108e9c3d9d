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
import type { Stages } from "./stage.ts";
import { submissionParameters } from "./submission-parameters.ts";
import { utf8Address } from "./utf8-address.ts";

/** All checks of mail from our own users: for each stage, in their order. */
export function createSubmissionStages(options: ServerOptions & { authenticator: Authenticator }): Stages {
  const { signIn, stillSignedIn } = signingIn(options);
  const rate = loginRate(options);
  const sender = ownSender(options);
  const parameters = submissionParameters(options);
  return {
    connect: [connections(options)],
    secure: [],
    auth: [signIn],
    helo: [],
    mail: [
      encrypted,
      stillSignedIn,
      offeredParameters("SIZE", "BODY", "SMTPUTF8", "REQUIRETLS", "AUTH", "RET", "ENVID", "HOLDFOR", "HOLDUNTIL"),
      parameters.ofMail,
      utf8Address,
      namedSender,
      sender,
      rate.messages,
    ],
    rcpt: [offeredParameters("NOTIFY", "ORCPT"), parameters.ofRcpt, utf8Address, sendable, rate.recipients],
    data: [smuggling, loop, stillSignedIn, sender],
  };
}
