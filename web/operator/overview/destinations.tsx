import { t } from "../../messages/operator/overview.ts";
import { number } from "../../shared/messages.ts";
import { ShareBar } from "../parts/chart.tsx";
import { Card } from "../parts/page.tsx";
import { href } from "../route.ts";
import type { Hour } from "./types.ts";

/** Of the last hour; those with the most tries first. */
export function Destinations({ list }: { list: Hour["destinations"] }) {
  return (
    <Card title={t("destinations")} actions={<span class="muted">{t("lastHour")}</span>}>
      {list.length === 0 ? (
        <p class="empty">{t("noDestinations")}</p>
      ) : (
        <ul class="destinations">
          {list.slice(0, 10).map(({ domain, sent, deferred, failed }) => (
            <li key={domain}>
              <a href={href({ place: "queue", filter: domain === "*" ? {} : { domain } })}>
                {domain === "*" ? t("others") : domain}
              </a>
              <ShareBar
                label={t("shares", { sent, deferred, failed })}
                parts={[
                  { tone: "plain", value: sent },
                  { tone: "warn", value: deferred },
                  { tone: "bad", value: failed },
                ]}
              />
              <span class="muted">{number(sent + deferred + failed)}</span>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}
