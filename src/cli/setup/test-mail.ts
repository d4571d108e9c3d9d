import { setTimeout as sleep } from "node:timers/promises";
import type { Admin } from "../../admin/admin.ts";
import type { Checked } from "../../admin/domain-check/checked.ts";
import { addAppPassword, revokeCredential } from "../../admin/tokens.ts";
import { splitAddress } from "../../base/address.ts";
import type { Config } from "../../config/schema.ts";
import { Conversation, type Reply } from "../../smtp/outbound/conversation.ts";
import { localUrl } from "./server.ts";

interface Means {
  config: Config;
  admin: Admin;
  /** The account that is tried. */
  address: string;
  /** Where it sends to; undefined for itself. */
  to: string | undefined;
}

const maxWaitMs = 30_000;

/** Hands a mail to the server as a stranger would, and sends one as the account's owner; leaves nothing in the account. */
export async function testMails({ config, admin, address, to }: Means): Promise<Checked[]> {
  const { id, secret } = await addAppPassword(admin, address, "posthorn setup");
  try {
    const mailbox = await Mailbox.open(localUrl(config), address, secret);
    const mark = admin.random(12).toString("hex");
    const into = await mailIn(mailbox, config, { address, messageId: `${mark}.in@${config.hostname}` });
    const out = await mailOut(mailbox, { address, to: to ?? address, messageId: `${mark}.out@${config.hostname}` });
    return [into, out];
  } finally {
    await revokeCredential(admin, address, id);
  }
}

/** Where the mail that comes in lies. */
async function mailIn(
  mailbox: Mailbox,
  { smtp, hostname }: Config,
  { address, messageId }: { address: string; messageId: string },
): Promise<Checked> {
  const about = { record: "mail in", name: address, expected: null, needed: true };
  const host = ["0.0.0.0", "::"].includes(smtp.host) ? "127.0.0.1" : smtp.host;
  try {
    const said = await handOver({ host, port: smtp.port }, hostname, { address, messageId });
    if (await mailbox.has(messageId)) return { ...about, state: "right", found: [said], advice: null };
    const advice = `it was accepted, but has not arrived: posthorn trace "<${messageId}>" says where it is`;
    return { ...about, state: "wrong", found: [said], advice };
  } catch (error) {
    const advice = "the server does not take mail for this address: the log says why";
    return { ...about, state: "wrong", found: [(error as Error).message], advice };
  }
}

async function handOver(
  place: { host: string; port: number },
  hostname: string,
  { address, messageId }: { address: string; messageId: string },
): Promise<string> {
  const limits = { listener: { said: () => {} }, maxConnectMs: 10_000, maxIdleMs: 60_000 };
  const line = await Conversation.open(place, limits);
  const must = async (reply: Promise<Reply>, digit: number) => {
    const { code, text } = await reply;
    if (Math.floor(code / 100) !== digit) throw new Error(text);
    return text;
  };
  try {
    await must(line.reply(), 2);
    await must(line.command(`EHLO ${hostname}`), 2);
    await must(line.command("MAIL FROM:<>"), 2);
    await must(line.command(`RCPT TO:<${address}>`), 2);
    await must(line.command("DATA"), 3);
    const head = [`From: Posthorn setup <postmaster@${hostname}>`, `To: <${address}>`, `Message-ID: <${messageId}>`];
    const rest = [
      `Date: ${new Date().toUTCString().replace("GMT", "+0000")}`,
      "Subject: Posthorn test",
      "",
      "It works.",
    ];
    line.write(Buffer.from(`${[...head, ...rest].join("\r\n")}\r\n.\r\n`));
    return await must(line.reply(), 2);
  } finally {
    line.quit();
  }
}

async function mailOut(
  mailbox: Mailbox,
  { address, to, messageId }: { address: string; to: string; messageId: string },
): Promise<Checked> {
  const about = { record: "mail out", name: to, expected: null, needed: true };
  try {
    const { delivered, smtpReply } = await mailbox.send({ from: address, to, messageId });
    if (delivered === "no") {
      return {
        ...about,
        state: "wrong",
        found: [smtpReply],
        advice: "the other server refused it: mend what it names",
      };
    }
    const arrived = splitAddress(to)?.domain !== splitAddress(address)?.domain || (await mailbox.has(messageId));
    if (delivered !== "queued" && arrived) return { ...about, state: "right", found: [smtpReply], advice: null };
    const advice = `it still waits: posthorn trace "<${messageId}>" says what the other server answered`;
    return { ...about, state: "unknown", found: [smtpReply], advice };
  } catch (error) {
    const advice = "it could not be sent: the log says why";
    return { ...about, state: "wrong", found: [(error as Error).message], advice };
  }
}

type Call = [name: string, args: Record<string, unknown>, id: string];
type Answer = { list?: Record<string, unknown>[]; ids?: string[]; created?: Record<string, { id: string }> | null };

/** An account, by JMAP. */
class Mailbox {
  readonly #url: string;
  readonly #authorization: string;
  #accountId = "";

  private constructor(url: string, authorization: string) {
    this.#url = url;
    this.#authorization = authorization;
  }

  static async open(url: string, address: string, password: string): Promise<Mailbox> {
    const mailbox = new Mailbox(url, `Basic ${Buffer.from(`${address}:${password}`).toString("base64")}`);
    const session = (await mailbox.#fetch("/.well-known/jmap")) as { primaryAccounts: Record<string, string> };
    mailbox.#accountId = session.primaryAccounts["urn:ietf:params:jmap:mail"]!;
    return mailbox;
  }

  /** Whether a mail of this id comes within half a minute. It is destroyed then. */
  async has(messageId: string): Promise<boolean> {
    const filter = { header: ["Message-ID", messageId] };
    for (const end = Date.now() + maxWaitMs; Date.now() < end; await sleep(250)) {
      const { ids = [] } = await this.#call("Email/query", { filter });
      if (ids.length === 0) continue;
      await this.#call("Email/set", { destroy: ids });
      return true;
    }
    return false;
  }

  /** RFC 8621 §7: what became of a mail within half a minute. */
  async send({ from, to, messageId }: { from: string; to: string; messageId: string }) {
    const { list: mailboxes = [] } = await this.#call("Mailbox/get", { ids: null });
    const { list: identities = [] } = await this.#call("Identity/get", { ids: null });
    const drafts = mailboxes.find(({ role }) => role === "drafts") ?? mailboxes[0]!;
    const identity = identities.find(({ email }) => email === from) ?? identities[0]!;
    const email = {
      ...{ mailboxIds: { [String(drafts.id)]: true }, messageId: [messageId], subject: "Posthorn test" },
      ...{ from: [{ email: from }], to: [{ email: to }], bodyStructure: { type: "text/plain", partId: "1" } },
      bodyValues: { 1: { value: "This mail shows that a new mail server can send.\n" } },
    };
    const made = await this.#create("Email/set", email);
    const submission = { emailId: made, identityId: identity.id };
    const sent = await this.#create("EmailSubmission/set", submission, { onSuccessDestroyEmail: ["#new"] });
    type Status = { delivered: string; smtpReply: string };
    let status: Status = { delivered: "queued", smtpReply: "" };
    for (const end = Date.now() + maxWaitMs; Date.now() < end && status.delivered === "queued"; await sleep(250)) {
      const { list = [] } = await this.#call("EmailSubmission/get", { ids: [sent] });
      const all = Object.values((list[0]?.deliveryStatus ?? {}) as Record<string, Status>);
      status = all[0] ?? status;
    }
    return status;
  }

  async #create(method: string, object: unknown, more: Record<string, unknown> = {}): Promise<string> {
    const answer = await this.#call(method, { create: { new: object }, ...more });
    const id = answer.created?.new?.id;
    if (id === undefined) throw new Error(`${method}: ${JSON.stringify(answer)}`);
    return id;
  }

  async #call(method: string, args: Record<string, unknown>): Promise<Answer> {
    const calls: Call[] = [[method, { accountId: this.#accountId, ...args }, "0"]];
    const using = ["core", "mail", "submission"].map((name) => `urn:ietf:params:jmap:${name}`);
    const answer = (await this.#fetch("/jmap/api", JSON.stringify({ using, methodCalls: calls }))) as {
      methodResponses: [name: string, result: Answer, id: string][];
    };
    const [name, result] = answer.methodResponses[0]!;
    if (name === "error") throw new Error(`${method}: ${JSON.stringify(result)}`);
    return result;
  }

  async #fetch(path: string, body?: string): Promise<unknown> {
    const headers = { authorization: this.#authorization, "content-type": "application/json" };
    const answer = await fetch(`${this.#url}${path}`, { headers, ...(body && { method: "POST", body }) });
    if (!answer.ok) throw new Error(`JMAP answers ${answer.status}`);
    return answer.json();
  }
}
