import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { t } from "../../messages/settings.ts";
import type { Quota } from "../../shared/jmap/types.ts";
import { size } from "../../shared/messages.ts";
import { theAccount } from "../mail.ts";

/** How much of the account's room is used; nothing if it has no limit. */
export function QuotaBar() {
  const quota = useSignal<Quota | undefined>(undefined);
  useEffect(() => {
    const { id: accountId, about, jmap } = theAccount();
    if (!about.accountCapabilities["urn:ietf:params:jmap:quota"]) return;
    jmap
      .call("Quota/get", { accountId, ids: null })
      .then(({ list }) => (quota.value = list.find(({ resourceType }) => resourceType === "octets")))
      .catch(() => {});
  }, []);
  if (!quota.value) return null;
  const { used, hardLimit, warnLimit } = quota.value;
  const text = t("quota", { used: size(used), limit: size(hardLimit) });
  return (
    <div class={`quota-bar ${used >= (warnLimit ?? hardLimit) ? "is-full" : ""}`}>
      <span>{text}</span>
      <meter min={0} max={hardLimit} value={used} aria-label={text} />
    </div>
  );
}
