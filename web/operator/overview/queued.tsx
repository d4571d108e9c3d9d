import { t } from "../../messages/operator/overview.ts";
import { number } from "../../shared/messages.ts";
import { ShareBar } from "../parts/chart.tsx";
import { Card } from "../parts/page.tsx";
import { href } from "../route.ts";
import type { QueueSums } from "./types.ts";

/** Counted no further: src/store/queues/waiting.ts. */
const maxCounted = 10_000;

export function Queued({ queue }: { queue: QueueSums }) {
  const states = [
    { name: t("due"), value: queue.due, filter: {} },
    { name: t("later"), value: queue.later, filter: {} },
    { name: t("heldShort"), value: queue.held, filter: { state: "held" } },
    { name: t("incoming"), value: queue.incoming, filter: undefined },
    { name: t("setAsideShort"), value: queue.setAside, filter: undefined },
  ];
  const ages = [
    { tone: "plain", name: t("upTo1h"), value: queue.upTo1h },
    { tone: "good", name: t("upTo4h"), value: queue.upTo4h },
    { tone: "warn", name: t("upTo24h"), value: queue.upTo24h },
    { tone: "bad", name: t("longer"), value: queue.longer },
  ] as const;
  const waits = ages.some(({ value }) => value > 0);
  return (
    <Card title={t("queue")} actions={<a href={href({ place: "queue" })}>{t("show")}</a>}>
      <dl class="figures">
        {states.map(({ name, value, filter }) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              {filter && value > 0 ? <a href={href({ place: "queue", filter })}>{number(value)}</a> : number(value)}
            </dd>
          </div>
        ))}
      </dl>
      {waits && (
        <>
          <h3>{t("age")}</h3>
          <ShareBar
            label={ages.map(({ name, value }) => `${name}: ${number(value)}`).join(", ")}
            parts={ages.map(({ tone, value }) => ({ tone, value }))}
          />
          <ul class="chart-key">
            {ages.map(({ tone, name, value }) => (
              <li key={name}>
                <i class={`dot is-${tone}`} /> {name} <strong>{number(value)}</strong>
              </li>
            ))}
          </ul>
        </>
      )}
      {queue.counted >= maxCounted && <p class="muted">{t("counted", { n: maxCounted })}</p>}
    </Card>
  );
}
