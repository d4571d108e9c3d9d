import { t } from "../../messages/operator/refusals.ts";
import type { SetError } from "../../shared/jmap/types.ts";

const known = [
  "notAnAddress",
  "notAnAddressOrDomain",
  "notADomain",
  "controlCharacters",
  "nameTooLong",
  "taken",
  "noAccount",
  "noAccountBehind",
  "noAddress",
  "ownAddress",
  "noDomain",
  "domainInUse",
  "noCredential",
  "ownLogin",
  "forwardsToItself",
  "forwardsNowhere",
  "tooManyForwards",
  "notShared",
  "notAHost",
  "notAMail",
  "noMail",
  "notHeld",
  "heldAlready",
  "notPublished",
  "keysInUse",
  "tooManyMasks",
  "notMasked",
  "notQuarantined",
  "notSuppressed",
  "noReport",
  "domainsMissing",
  "noOperator",
  "beingTried",
  "nothingToChange",
  "ownRole",
] as const;

type Refusal = { type: string } & Record<string, unknown>;

/** Why the server did not do something, in words for people. */
export function refusalWords(error: SetError & { refusal?: Refusal; properties?: string[] }): string {
  const { type, description = "", refusal, properties = [] } = error;
  const name = known.find((one) => one === (refusal?.type ?? description));
  if (name !== undefined) {
    const values = Object.fromEntries(Object.entries(refusal ?? {}).map(([key, value]) => [key, String(value)]));
    return (t as (key: string, values: object) => string)(name, values);
  }
  if (properties.includes("password")) return t("shortPassword");
  if (type === "forbidden") return t("forbidden");
  if (type === "notFound") return t("notFound");
  return t("failed", { reason: description || type });
}
