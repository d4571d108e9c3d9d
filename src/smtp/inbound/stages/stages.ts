import type { SmtpInOptions } from "../options.ts";
import { authentication } from "./authentication.ts";
import { connectionRate } from "./connection-rate.ts";
import { connections } from "./connections.ts";
import { dnsLists } from "./dns-lists.ts";
import { greylist } from "./greylist.ts";
import { knownRecipient } from "./known-recipient.ts";
import { loop } from "./loop.ts";
import { messageRate } from "./message-rate.ts";
import { oneForNullSender } from "./null-sender.ts";
import { offeredParameters } from "./offered-parameters.ts";
import { queue } from "./queue.ts";
import { queueRoom } from "./queue-room.ts";
import { recipientRate } from "./recipient-rate.ts";
import { returnPath } from "./return-path.ts";
import { room } from "./room.ts";
import { senderHost } from "./sender-host.ts";
import { senderRate } from "./sender-rate.ts";
import { smuggling } from "./smuggling.ts";
import { named, type Stages } from "./stage.ts";
import { utf8Address } from "./utf8-address.ts";

/** The checks of mail from other servers: for each stage, in their order. The first that does not pass decides. */
export function createStages(options: SmtpInOptions): Stages {
  const lists = dnsLists(options);
  const host = senderHost(options);
  const recipients = recipientRate(options);
  return {
    connect: [
      named("connections", connections(options)),
      named("connection-rate", connectionRate(options)),
      lists.begin,
    ],
    secure: [],
    auth: [],
    helo: [host.begin],
    mail: [
      named("offered-parameters", offeredParameters("SIZE", "BODY", "SMTPUTF8", "REQUIRETLS")),
      named("utf8-address", utf8Address),
      named("queue", queue(options)),
      named("message-rate", messageRate(options)),
      named("queue-room", queueRoom(options)),
    ],
    rcpt: [
      named("offered-parameters", offeredParameters()),
      named("utf8-address", utf8Address),
      named("null-sender", oneForNullSender),
      named("recipient-rate", recipients.ofNetwork),
      named("return-path", returnPath(options)),
      named("known-recipient", knownRecipient(options)),
      named("dns-lists", lists.judge),
      named("recipient-rate", recipients.forAddress),
      named("greylist", greylist(options)),
      named("room", room(options)),
    ],
    data: [
      named("smuggling", smuggling),
      named("loop", loop),
      named("authentication", authentication(options)),
      named("sender-rate", senderRate(options)),
      lists.report,
      host.report,
    ],
  };
}
