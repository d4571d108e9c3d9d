import type { LmtpOptions } from "../options.ts";
import { believedResults } from "./believed-results.ts";
import { knownRecipient } from "./known-recipient.ts";
import { loop } from "./loop.ts";
import { offeredParameters } from "./offered-parameters.ts";
import { queue } from "./queue.ts";
import { queueRoom } from "./queue-room.ts";
import { returnPath } from "./return-path.ts";
import { room } from "./room.ts";
import { smuggling } from "./smuggling.ts";
import type { Stages } from "./stage.ts";
import { trustedPeers } from "./trusted-peers.ts";
import { utf8Address } from "./utf8-address.ts";

/** The checks of mail from a server in front, which has judged it. */
export function createLmtpStages(options: LmtpOptions): Stages {
  return {
    connect: [trustedPeers(options)],
    secure: [],
    auth: [],
    helo: [],
    mail: [offeredParameters("SIZE", "BODY", "SMTPUTF8"), utf8Address, queue(options), queueRoom(options)],
    rcpt: [offeredParameters(), utf8Address, returnPath(options), knownRecipient(options), room(options)],
    data: [smuggling, loop, believedResults(options)],
  };
}
