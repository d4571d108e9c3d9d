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
import { named, type Stages } from "./stage.ts";
import { trustedPeers } from "./trusted-peers.ts";
import { utf8Address } from "./utf8-address.ts";

/** The checks of mail from a server in front, which has judged it. */
export function createLmtpStages(options: LmtpOptions): Stages {
  return {
    connect: [named("trusted-peers", trustedPeers(options))],
    secure: [],
    auth: [],
    helo: [],
    mail: [
      named("offered-parameters", offeredParameters("SIZE", "BODY", "SMTPUTF8")),
      named("utf8-address", utf8Address),
      named("queue", queue(options)),
      named("queue-room", queueRoom(options)),
    ],
    rcpt: [
      named("offered-parameters", offeredParameters()),
      named("utf8-address", utf8Address),
      named("return-path", returnPath(options)),
      named("known-recipient", knownRecipient(options)),
      named("room", room(options)),
    ],
    data: [named("smuggling", smuggling), named("loop", loop), named("believed-results", believedResults(options))],
  };
}
