import type { LmtpOptions } from "../lmtp.ts";
import type { SmtpInOptions } from "../options.ts";
import { authentication } from "./authentication.ts";
import { believedResults } from "./believed-results.ts";
import { connections } from "./connections.ts";
import { knownRecipient } from "./known-recipient.ts";
import { loop } from "./loop.ts";
import { messageRate } from "./message-rate.ts";
import { oneForNullSender } from "./null-sender.ts";
import { offeredParameters } from "./offered-parameters.ts";
import { queue } from "./queue.ts";
import { room } from "./room.ts";
import { smuggling } from "./smuggling.ts";
import type { Stages } from "./stage.ts";
import { trustedPeers } from "./trusted-peers.ts";
import { utf8Address } from "./utf8-address.ts";

/** The checks of mail from other servers: for each stage, in their order. The first that does not pass decides. */
export function createStages(options: SmtpInOptions): Stages {
  return {
    connect: [connections(options)],
    secure: [],
    auth: [],
    helo: [],
    mail: [offeredParameters("SIZE", "BODY", "SMTPUTF8"), utf8Address, queue(options), messageRate(options)],
    rcpt: [offeredParameters(), utf8Address, oneForNullSender, knownRecipient(options), room(options)],
    data: [smuggling, loop, authentication(options)],
  };
}

/** Those of mail from a server in front, which has judged it. */
export function createLmtpStages(options: LmtpOptions): Stages {
  return {
    connect: [trustedPeers(options)],
    secure: [],
    auth: [],
    helo: [],
    mail: [offeredParameters("SIZE", "BODY", "SMTPUTF8"), utf8Address, queue(options)],
    rcpt: [offeredParameters(), utf8Address, knownRecipient(options), room(options)],
    data: [smuggling, loop, believedResults(options)],
  };
}
