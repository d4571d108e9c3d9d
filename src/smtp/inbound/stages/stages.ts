import type { SmtpInOptions } from "../options.ts";
import { authentication } from "./authentication.ts";
import { connections } from "./connections.ts";
import { knownRecipient } from "./known-recipient.ts";
import { loop } from "./loop.ts";
import { messageRate } from "./message-rate.ts";
import { offeredParameters } from "./offered-parameters.ts";
import { queue } from "./queue.ts";
import { returnPath } from "./return-path.ts";
import { room } from "./room.ts";
import { smuggling } from "./smuggling.ts";
import type { Stages } from "./stage.ts";
import { utf8Address } from "./utf8-address.ts";

/** All checks: for each stage, in their order. The first that does not pass decides. */
export function createStages(options: SmtpInOptions): Stages {
  return {
    connect: [connections(options)],
    secure: [],
    auth: [],
    helo: [],
    mail: [offeredParameters("SIZE", "BODY", "SMTPUTF8"), utf8Address, queue(options), messageRate(options)],
    rcpt: [offeredParameters(), utf8Address, returnPath(options), knownRecipient(options), room(options)],
    data: [smuggling, loop, authentication(options)],
  };
}
