import { listMaskedAddresses, maskAddress, pauseMaskedAddress } from "../admin/masked-addresses.ts";
import type { Context } from "./command.ts";
import { answer, say, table } from "./prompt.ts";

export async function mask(context: Context, account: string): Promise<void> {
  const address = await maskAddress(context.admin, account, context.options.label as string);
  answer(context, { address }, address);
}

export async function masks({ admin, options }: Context, account: string): Promise<void> {
  const rows = await listMaskedAddresses(admin, account);
  if (options.json) return say(JSON.stringify(rows, null, 2));
  if (rows.length === 0) return say("The account has no masked addresses.");
  const cells = rows.map(({ email, label, state, messages, lastMessageAt, senders }) => [
    email,
    label,
    state,
    String(messages),
    lastMessageAt?.toISOString() ?? "-",
    senders.map(({ domain, messages: count }) => `${domain} ${count}`).join(", "),
  ]);
  say(table([["ADDRESS", "LABEL", "STATE", "MESSAGES", "NEWEST", "FROM"], ...cells]));
}

export async function pause(context: Context, text: string): Promise<void> {
  const address = await pauseMaskedAddress(context.admin, text, true);
  answer(context, { address, isPaused: true }, `Mail for ${address} is refused.`);
}

export async function resume(context: Context, text: string): Promise<void> {
  const address = await pauseMaskedAddress(context.admin, text, false);
  answer(context, { address, isPaused: false }, `Mail for ${address} is let in.`);
}
