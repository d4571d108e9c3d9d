import { t } from "../../messages/operator/accounts.ts";
import { size } from "../../shared/messages.ts";
import type { Listed } from "../api.ts";

export function roomWords({ used, quota }: Pick<Listed["Account"], "used" | "quota">): string {
  if (used === null) return "?";
  return quota === null ? size(used) : t("usedOf", { used: size(used), quota: size(quota) });
}

const roles = ["admin", "domain-admin", "read-only"] as const;
export const roleWords = (role: string): string => {
  const known = roles.find((one) => one === role);
  return known ? t(known) : role;
};
