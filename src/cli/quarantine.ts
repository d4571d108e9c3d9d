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
import { answer, say, table } from "./prompt.ts";

const maxListed = 1_000;
const nameOf = ({ id }: Quarantined) => encodeId(idPrefix.incoming, id);
const recipientsOf = ({ recipients }: Quarantined) => recipients.map(({ address }) => address).join(" ");

/** What is told of a message. */
const plain = (one: Quarantined) => ({
  ...{ message: nameOf(one), since: one.createdAt, virus: one.virus, from: one.mailFrom, size: one.size },
  to: one.recipients.map(({ address }) => address),
});

export async function list({ admin, options }: Context): Promise<void> {
  const found = await quarantined(admin, maxListed);
  if (options.json) return say(JSON.stringify(found.map(plain), null, 2));
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

export async function show(context: Context, text: string): Promise<void> {
  const { admin, objects } = context;
  const message = await findInQuarantine(admin, text);
  const blobs = new Blobs({ objects, clock: systemClock, cacheBytes: 0 });
  const header = await headerInQuarantine(blobs, message);
  const words = [
    `Virus: ${message.virus}`,
    `From: ${message.mailFrom || "<>"}`,
    `To: ${recipientsOf(message)}`,
    `Size: ${showSize(message.size)}`,
    "",
    // The header is the sender's text: no control characters reach the terminal.
    header.replace(/[^\P{C}\n]/gu, ""),
  ];
  answer(context, { ...plain(message), header }, words.join("\n"));
}

export async function release(context: Context, text: string): Promise<void> {
  await releaseFromQuarantine(context.admin, text);
  answer(context, { message: text }, `Released ${text}; a running server delivers it within half a minute.`);
}

export async function remove(context: Context, text: string): Promise<void> {
  await deleteFromQuarantine(context.admin, text);
  answer(context, { message: text }, `Deleted ${text}.`);
}
