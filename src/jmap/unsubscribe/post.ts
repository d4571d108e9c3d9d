import { decodeId, idPrefix } from "../../base/ids.ts";
import { parseHeader } from "../../mime/headers.ts";
import { TargetRefused } from "../../push/webpush/post.ts";
import { findAuthentication } from "../../store/mail/authentication.ts";
import { findEmails } from "../../store/mail/emails.ts";
import { findEmailsToSend } from "../../store/queues/submissions.ts";
import { capabilities } from "../capability-names.ts";
import { MethodError } from "../errors.ts";
import { type Call, ownMethod } from "../method.ts";
import { id, object } from "../schema.ts";
import { type Obstacle, oneClickBody, oneClickUrl } from "./one-click.ts";

const why: Record<Obstacle, string> = {
  notOffered: "the email offers no way to leave its list by one click",
  notSigned: "no valid DKIM signature covers the way that the email offers",
};

const headers = { "Content-Type": "application/x-www-form-urlencoded", "User-Agent": "Posthorn" };

/** How many lists a login may leave in an hour: the requests go to servers that strangers named. */
export const maxUnsubscribes = 60;

/**
 * An extension of this server (docs/jmap.md): leaves the list of an email as RFC 8058 §3.2 says, by a POST without cookies that
 * follows no redirect. A server at a private address is not asked. It may be called again without harm.
 */
export const unsubscribePost = ownMethod({
  name: "Unsubscribe/post",
  capability: capabilities.unsubscribe,
  args: object({ accountId: id, emailId: id }),
  writes: true,
  async run({ accountId, emailId }, call) {
    const url = oneClickUrl(...(await read(emailId, call)));
    if (typeof url === "string") throw new MethodError("forbidden", why[url]);
    const { poster, unsubscribes } = call.services;
    if (!(await unsubscribes.count(call.login.login))) {
      throw new MethodError("forbidden", `at most ${maxUnsubscribes} lists an hour`);
    }
    const status = await poster.post(url.href, headers, Buffer.from(oneClickBody)).then(
      (answer) => answer.status,
      (error: unknown) => {
        if (error instanceof TargetRefused) throw new MethodError("forbidden", error.message);
        return null;
      },
    );
    const isDone = status !== null && status >= 200 && status < 300;
    return { response: { accountId, emailId, host: url.host, isDone, status } };
  },
});

/** The email's header, and what was found of it when it came. */
async function read(emailId: string, call: Call): Promise<Parameters<typeof oneClickUrl>> {
  const { blobs, store } = call.services;
  const reader = store.reader(call.accountId, call.login);
  const number = decodeId(idPrefix.email, emailId);
  const [row] = number === undefined ? [] : await findEmails(reader, [number]);
  const email = row && (await findEmailsToSend(reader, [row.id])).get(row.id);
  if (!row || !email) throw new MethodError("invalidArguments", "no such email", { arguments: ["emailId"] });
  const message = await blobs.readObject(email.blob);
  const authentication = (await findAuthentication(reader, [row.id])).get(row.id) ?? null;
  return [parseHeader(message.subarray(0, 1_000_000)), authentication];
}
