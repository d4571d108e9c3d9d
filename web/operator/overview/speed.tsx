import { t } from "../../messages/operator/overview.ts";
import { Card } from "../parts/page.tsx";
import type { Latency } from "./types.ts";

/** How long calls and pushes took in the last hour. */
export function Speed({ api, push }: { api: Latency; push: Latency }) {
  return (
    <Card title={t("speed")}>
      <Line name={t("api")} latency={api} />
      <Line name={t("push")} latency={push} />
    </Card>
  );
}

function Line({ name, latency }: { name: string; latency: Latency }) {
  const { count, halfMs, mostMs } = latency;
  const time = (ms: number | null) => (count === 0 ? t("none") : ms === null ? t("slow") : t("ms", { n: ms }));
  return (
    <>
      <h3>{name}</h3>
      <dl class="figures">
        <div>
          <dt>{t("half")}</dt>
          <dd>{time(halfMs)}</dd>
        </div>
        <div>
          <dt>{t("most")}</dt>
          <dd>{time(mostMs)}</dd>
        </div>
      </dl>
    </>
  );
}
