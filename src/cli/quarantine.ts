import {
  deleteFromQuarantine,
  findInQuarantine,
  headerInQuarantine,
  quarantined,
  releaseFromQuarantine,
} from "../admin/quarantine.ts";
import { systemClock } from "../base/clock.ts";
import { encodeId, idPrefix } from "../base/ids.ts";
import { showSize } from "../config/values.ts";
import { Blobs } from "../store/blobs/blobs.ts";
import type { Quarantined } from "../store/queues/quarantine.ts";
import type { Context } from "./command.ts";
import { say, table } from "./prompt.ts";

const maxListed = 1_000;
const nameOf = ({ id }: Quarantined) => encodeId(idPrefix.incoming, id);
const recipientsOf = ({ recipients }: Quarantined) => recipients.map(({ address }) => address).join(" ");

export async function list({ admin }: Context): Promise<void> {
  const found = await quarantined(admin, maxListed);
  if (found.length === 0) return say("The quarantine is empty.");
  const rows = found.map((one) => [
    nameOf(one),
    one.createdAt.toISOString(),
    one.virus,
    one.mailFrom || "<>",
    recipientsOf(one),
  ]);
  say(table([["MESSAGE", "SINCE", "VIRUS", "FROM", "TO"], ...rows]));
}

export async function show({ admin, objects }: Context, text: string): Promise<void> {
  const message = await findInQuarantine(admin, text);
  say(`Virus: ${message.virus}`);
  say(`From: ${message.mailFrom || "<>"}`);
  say(`To: ${recipientsOf(message)}`);
  say(`Size: ${showSize(message.size)}`);
  const blobs = new Blobs({ objects, clock: systemClock, cacheBytes: 0 });
  // The header is the sender's text: no control characters reach the terminal.
  say(`\n${(await headerInQuarantine(blobs, message)).replace(/[^\P{C}\n]/gu, "")}`);
}

export async function release({ admin }: Context, text: string): Promise<void> {
  await releaseFromQuarantine(admin, text);
  say(`Released ${text}; a running server delivers it within half a minute.`);
}

export async function remove({ admin }: Context, text: string): Promise<void> {
  await deleteFromQuarantine(admin, text);
  say(`Deleted ${text}.`);
}
