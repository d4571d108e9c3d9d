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
import type { Stages } from "./stage.ts";
import { utf8Address } from "./utf8-address.ts";

/** The checks of mail from other servers: for each stage, in their order. The first that does not pass decides. */
export function createStages(options: SmtpInOptions): Stages {
  const lists = dnsLists(options);
  const host = senderHost(options);
  const recipients = recipientRate(options);
  return {
    connect: [connections(options), connectionRate(options), lists.begin],
    secure: [],
    auth: [],
    helo: [host.begin],
    mail: [
      offeredParameters("SIZE", "BODY", "SMTPUTF8", "REQUIRETLS"),
      utf8Address,
      queue(options),
      messageRate(options),
      queueRoom(options),
    ],
    rcpt: [
      offeredParameters(),
      utf8Address,
      oneForNullSender,
      recipients.ofNetwork,
      returnPath(options),
      knownRecipient(options),
      lists.judge,
      recipients.forAddress,
      greylist(options),
      room(options),
    ],
    data: [smuggling, loop, authentication(options), senderRate(options), lists.report, host.report],
  };
}
