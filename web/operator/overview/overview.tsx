import { t } from "../../messages/operator/overview.ts";
import { number } from "../../shared/messages.ts";
import { ask } from "../api.ts";
import { useFetched } from "../parts/fetched.ts";
import { AgainButton, Card, Page, Shown } from "../parts/page.tsx";
import { exact } from "../parts/times.ts";
import { href } from "../route.ts";
import { isForAll, me } from "../session.ts";
import { Destinations } from "./destinations.tsx";
import { Health } from "./health.tsx";
import { Queued } from "./queued.tsx";
import { Speed } from "./speed.tsx";
import { Traffic } from "./traffic.tsx";
import type { OverviewAnswer } from "./types.ts";

/** Disk, nodes and certificate tell nobody that they change. */
const everyMs = 60_000;

/** How the server is: what needs a look first, then the last hour. */
export function Overview() {
  return isForAll.value ? <Whole /> : <OwnDomains />;
}

function Whole() {
  const fetched = useFetched(() => ask<OverviewAnswer>("Overview/get"), "overview", { on: "mail", everyMs });
  const at = fetched.value?.at;
  return (
    <Page
      title={t("title")}
      actions={
        <>
          {at && <span class="muted">{t("checked", { time: exact(at) })}</span>}
          <AgainButton fetched={fetched} />
        </>
      }
    >
      <Shown fetched={fetched}>
        {({ findings, hour, queue }) => (
          <div class="overview">
            <Health findings={findings} />
            {hour && (
              <>
                <Traffic hour={hour} />
                {queue && <Queued queue={queue} />}
                <Destinations list={hour.destinations} />
                <Card title={t("quality")}>
                  <dl class="figures">
                    <Figure name={t("inbox")} value={hour.filed.inbox} />
                    <Figure name={t("junk")} value={hour.filed.junk} />
                    <Figure name={t("virusShort")} value={hour.filed.virus} />
                  </dl>
                  <h3>{t("feedback")}</h3>
                  <dl class="figures">
                    <Figure name={t("bounces")} value={hour.feedback.delivery} />
                    <Figure name={t("complaintsShort")} value={hour.feedback.complaint} />
                  </dl>
                </Card>
                <Speed api={hour.api} push={hour.push} />
              </>
            )}
          </div>
        )}
      </Shown>
    </Page>
  );
}

function Figure({ name, value }: { name: string; value: number }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{number(value)}</dd>
    </div>
  );
}

function OwnDomains() {
  return (
    <Page title={t("title")} about={t("yourDomainsWhy")}>
      <Card title={t("yourDomains")}>
        <ul class="plain-list">
          {(me.value.domains ?? []).map((name) => (
            <li key={name}>
              <a href={href({ place: "domains", filter: { begins: name } })}>{name}</a>
            </li>
          ))}
        </ul>
      </Card>
    </Page>
  );
}
