import { join, openInvite } from "../admin/join.ts";
import type { Config } from "../config/schema.ts";
import type { Joining } from "../web/joining.ts";

/** How guests get accounts. */
export function joiningOf(
  { signUp: domains, defaultQuota: quota }: Pick<Config, "signUp" | "defaultQuota">,
  means: Parameters<typeof join>[0],
): Joining {
  const signUp = domains.map((name) => name.toLowerCase());
  return {
    signUp,
    invitation: async (token) => {
      const invite = await openInvite(means, token);
      return invite && { domain: invite.domain, address: invite.address, expiresAt: invite.expiresAt };
    },
    join: (guest, isAllowed) => join(means, guest, { signUp, quota }, isAllowed),
  };
}
