import { type Client, connect, one } from "../../conformance/client/client.ts";
import type { GetResult, SetResult } from "../../conformance/client/types.ts";

/** A user with a client. */
export interface User {
  address: string;
  client: Client;
  /** Mailboxes by role. */
  inbox: string;
  drafts: string;
  sent: string;
  archive: string;
  identity: string;
  /** Emails whose keywords change, and emails that are moved. */
  flagged: string[];
  moved: string[];
  /** The port of the database's node that has the account. */
  nodePort: number;
}

export const password = "correct horse";
const emailsOfAKind = 4;
/** How long a client waits for an answer. */
const maxAnswerMs = 15_000;

export async function openUser(url: string, address: string, nodePort: number): Promise<User> {
  const client = await connect({ url, user: address, password, timeoutMs: maxAnswerMs });
  const { list } = await one<GetResult<{ id: string; role: string }>>(client, "Mailbox/get");
  const place = (role: string) => list.find((mailbox) => mailbox.role === role)!.id;
  const identities = await one<GetResult<{ id: string }>>(client, "Identity/get");
  const [inbox, drafts, sent, archive] = [place("inbox"), place("drafts"), place("sent"), place("archive")];
  const make = async (subject: string) => {
    const email = { mailboxIds: { [inbox]: true }, subject, from: [{ email: address }] };
    const create = Object.fromEntries(Array.from({ length: emailsOfAKind }, (_, at) => [`e${at}`, email]));
    const { created } = await one<SetResult<{ id: string }>>(client, "Email/set", { create });
    return Object.values(created!).map(({ id }) => id);
  };
  const [flagged, moved] = [await make("flagged"), await make("moved")];
  return { address, client, inbox, drafts, sent, archive, identity: identities.list[0]!.id, flagged, moved, nodePort };
}
