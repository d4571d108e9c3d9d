import { passwordFault } from "../auth/password-rules.ts";
import { hashPassword, tokenHash } from "../auth/secrets.ts";
import { splitAddress } from "../base/address.ts";
import { Conflict } from "../store/core/errors.ts";
import { createAccount, findDomain, isAddressTaken } from "../store/directory/directory.ts";
import { findInvite, type InviteRow, takeInvite } from "../store/directory/invites.ts";
import { createDefaultMailboxes } from "../store/mail/mailboxes.ts";
import { type Admin, record } from "./admin.ts";
import { holdDomain } from "./domains.ts";

/** Who acts is known by the way in. */
type Means = Omit<Admin, "who">;

export interface JoinOptions {
  /** The domains where anybody may sign up. */
  signUp: readonly string[];
  /** Of the new account, in bytes; 0 for no limit. */
  quota: number;
}

interface Guest {
  token?: string | undefined;
  address: string;
  password: string;
}

type Fault = "not-invited" | "not-an-address" | "reserved" | "taken" | "limit" | `password-${PasswordFault}`;
type PasswordFault = NonNullable<ReturnType<typeof passwordFault>>;

/**
 * No "+", which would take mail of another's tagged address. Letters of one alphabet only, so that no address looks like
 * another.
 */
const localPart = /^(?!.*\.\.)[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$/;

/** For those who run a domain (RFC 2142): certificates, complaints and more are asked for by mail to them. */
const reserved = new Set(
  `abuse admin administrator billing contact daemon ftp help hostmaster info infosec it list list-request mail
  mailer-daemon marketing mta-sts news no-reply nobody noc noreply office operator owner postmaster privacy root sales
  security ssladmin ssl-admin sslwebmaster support sysadmin system tls-reports usenet uucp webmaster www`.split(/\s+/),
);

/** An invitation that can still be used. */
export function openInvite({ store }: Pick<Means, "store">, token: string): Promise<InviteRow | undefined> {
  return findInvite(store.database, tokenHash(token), store.clock.now());
}

/**
 * Makes the account of a guest with an invitation, which that uses up, or in a domain where anybody may sign up. `isAllowed` is
 * asked last, before an account is made without an invitation.
 */
export async function join(
  means: Means,
  { token, ...guest }: Guest,
  { signUp, quota }: JoinOptions,
  isAllowed: () => Promise<boolean>,
): Promise<{ address: string } | { fault: Fault }> {
  const { store } = means;
  const invite = token === undefined ? undefined : await openInvite(means, token);
  if (token !== undefined && !invite) return { fault: "not-invited" };
  const address = addressFor(guest.address, { invite, signUp });
  if (typeof address !== "string") return address;
  const fault = passwordFault(guest.password, address);
  if (fault) return { fault: `password-${fault}` };
  if (await isAddressTaken(store.database, address)) return { fault: "taken" };
  const { domain } = splitAddress(address)!;
  if (!(await findDomain(store.database, domain))) return { fault: "not-invited" };
  if (!invite && !(await isAllowed())) return { fault: "limit" };
  const passwordHash = await hashPassword(guest.password);
  const who = invite ? `invite:${invite.id}` : "sign-up";
  try {
    await createAccount(store, {
      address,
      passwordHash,
      quota: quota || null,
      fill: async (tx) => {
        await createDefaultMailboxes(tx);
        await record(tx, { ...means, who }, { act: "account.add", address });
      },
      // With the address, so that an invitation makes one account, however many ask at once.
      hold: async (executor) => {
        await holdDomain(executor, domain);
        if (invite && !(await takeInvite(executor, invite.id, store.clock.now()))) throw new Conflict("invite");
      },
    });
  } catch (error) {
    if (!(error instanceof Conflict)) throw error;
    return { fault: invite && !(await openInvite(means, token!)) ? "not-invited" : "taken" };
  }
  return { address };
}

/** The address that a guest may have. An invitation may name one, of any form. */
function addressFor(
  text: string,
  { invite, signUp }: { invite: InviteRow | undefined; signUp: readonly string[] },
): string | { fault: Fault } {
  const given = splitAddress(text.trim());
  if (!given) return { fault: "not-an-address" };
  const local = given.local.toLowerCase();
  const address = `${local}@${given.domain}`;
  if (invite?.address) return invite.address === address ? address : { fault: "not-invited" };
  if (!(invite ? [invite.domain] : signUp).includes(given.domain)) return { fault: "not-invited" };
  if (!localPart.test(local)) return { fault: "not-an-address" };
  return reserved.has(local) ? { fault: "reserved" } : address;
}
