import { t } from "../../messages/operator/queue.ts";
import type { Attempt } from "../api.ts";
import { Badge, type State, Time } from "../parts/page.tsx";

const outcomes = { sent: "outcomeSent", deferred: "outcomeDeferred", failed: "outcomeFailed" } as const;
const badges: Record<Attempt["outcome"], State> = { sent: "good", deferred: "warn", failed: "bad" };

/** The newest first. */
export function Attempts({ list }: { list: readonly Attempt[] }) {
  if (list.length === 0) return <p class="empty">{t("noAttempts")}</p>;
  return (
    <ol class="attempts">
      {list.toReversed().map((one) => (
        <li key={`${one.at} ${one.host} ${one.recipients.join()}`}>
          <p class="attempt-head">
            <Badge state={badges[one.outcome]}>{t(outcomes[one.outcome])}</Badge>
            <Time at={one.at} />
            <span class="muted">
              {one.host ?? t("noServer")}
              {one.address && one.address !== one.host && ` (${one.address})`}
              {one.host && `, ${one.tls ? t("withTls", { tls: one.tls }) : t("withoutTls")}`},{" "}
              {t("took", { ms: one.milliseconds })}
            </span>
          </p>
          <p>
            <bdi>{one.recipients.join(", ")}</bdi>
          </p>
          <p class="attempt-reply">{one.reply}</p>
          {one.transcript !== "" && (
            <details>
              <summary>{t("transcript")}</summary>
              {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it. */}
              <pre tabIndex={0}>{one.transcript}</pre>
            </details>
          )}
        </li>
      ))}
    </ol>
  );
}
