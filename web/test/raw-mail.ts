import { one } from "../../conformance/client/client.ts";
import type { User } from "./world.ts";

const maxAtOnce = 50;

/** Puts messages into a mailbox octet by octet, many in a request. Returns their email ids, in order. */
export async function putRaw(user: User, sources: readonly (string | Buffer)[], mailbox = "inbox"): Promise<string[]> {
  const place = await user.mailboxId(mailbox);
  const ids: string[] = [];
  for (let at = 0; at < sources.length; at += maxAtOnce) {
    const some = sources.slice(at, at + maxAtOnce);
    const blobs = [];
    for (const source of some) blobs.push(await user.client.upload(Buffer.from(source), "message/rfc822"));
    const emails = Object.fromEntries(
      blobs.map(({ blobId }, index) => [`m${index}`, { blobId, mailboxIds: { [place]: true } }]),
    );
    const { created, notCreated } = await one<{ created: Record<string, { id: string }> | null; notCreated: unknown }>(
      user.client,
      "Email/import",
      { emails },
    );
    if (notCreated) throw new Error(`not imported: ${JSON.stringify(notCreated)}`);
    ids.push(...some.map((_, index) => created![`m${index}`]!.id));
  }
  return ids;
}
