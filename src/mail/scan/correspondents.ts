import { normalizeAddress, splitAddress } from "../../base/address.ts";
import { asAddresses, parseHeader } from "../../mime/headers.ts";
import { headerEnd } from "../../mime/walk.ts";
import type { Correspondent } from "../../store/mail/correspondents.ts";
import type { JudgedSubmission } from "../submit/submit.ts";
import { nameKeyOf } from "./judge.ts";
import { shapeOf } from "./marks.ts";

/** To more recipients, a mail is no correspondence. */
const maxRecipients = 50;
const isShown = (name: string) => name.length <= 2 && ["to", "cc"].includes(name.toLowerCase());

/** Whom a message goes to, with the names that its header gives them. */
export function correspondentsOf({ envelope, wire }: JudgedSubmission): Correspondent[] {
  const { rcptTo } = envelope;
  if (rcptTo.length > maxRecipients) return [];
  const shown = parseHeader(wire.subarray(0, headerEnd(wire)), isShown).flatMap(({ value }) => asAddresses(value));
  const names = new Map(shown.map(({ email, name }) => [normalizeAddress(email), name ?? ""]));
  return rcptTo.flatMap(({ email }) => {
    const address = normalizeAddress(email);
    const domain = address === undefined ? undefined : splitAddress(address)?.domain;
    if (address === undefined || domain === undefined) return [];
    return [{ address, domain, shape: shapeOf(domain), nameKey: nameKeyOf(names.get(address) ?? "") }];
  });
}
