import { listMaskedAddresses, maskAddress, pauseMaskedAddress } from "../admin/masked-addresses.ts";
import type { Context } from "./command.ts";
import { say, table } from "./prompt.ts";

export async function mask({ admin, options }: Context, account: string): Promise<void> {
  say(await maskAddress(admin, account, options.label as string));
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

export async function pause({ admin }: Context, text: string): Promise<void> {
  say(`Mail for ${await pauseMaskedAddress(admin, text, true)} is refused.`);
}

export async function resume({ admin }: Context, text: string): Promise<void> {
  say(`Mail for ${await pauseMaskedAddress(admin, text, false)} is let in.`);
}
