import { t as tParts } from "../../messages/operator/parts.ts";
import { t } from "../../messages/operator/record.ts";
import { shortDate } from "../../shared/dates.ts";
import { number } from "../../shared/messages.ts";
import { get, type Listed, list } from "../api.ts";
import { ShareBar } from "../parts/chart.tsx";
import { useFetched, usePages } from "../parts/fetched.ts";
import { ChoiceFilter, Filters, TextFilter } from "../parts/filters.tsx";
import { AgainButton, Card, Cell, List, Page, Shown, Time } from "../parts/page.tsx";
import { href, route } from "../route.ts";

type Report = Listed["Report"];
const properties = [
  "kind",
  "domain",
  "organization",
  "sender",
  "begins",
  "ends",
  "receivedAt",
  "passed",
  "failed",
  "rows",
];
const kindWords = (kind: string) => (kind === "dmarc" || kind === "tls" ? t(kind) : kind);
const periodOf = ({ begins, ends }: Report) => `${shortDate(begins)} – ${shortDate(ends)}`;

export function Reports() {
  const { id } = route.value;
  return id === undefined ? <ReportList /> : <OneReport id={id} key={id} />;
}

function ReportList() {
  const { kind, domain } = route.value.filter;
  const wanted = { ...(kind && { kind }), ...(domain && { domain }) };
  const pages = usePages((after) => list("Report", { filter: wanted, after }), JSON.stringify(wanted), {
    on: "mail",
  });
  return (
    <Page title={t("reports")} about={t("reportsAbout")} actions={<AgainButton fetched={pages} />}>
      <Filters label={t("reports")}>
        <ChoiceFilter
          name="kind"
          label={t("kind")}
          choices={[
            ["", t("all")],
            ["dmarc", t("dmarc")],
            ["tls", t("tls")],
          ]}
        />
        <TextFilter name="domain" label={t("domain")} hint="example.org" />
      </Filters>
      <List
        pages={pages}
        label={t("reports")}
        columns={[t("by"), t("kind"), t("domain"), t("period"), t("result"), t("came")]}
        empty={t("noReports")}
      >
        {(one) => (
          <tr key={one.id}>
            <Cell label={t("by")} class="is-main">
              <a href={href({ place: "reports", id: one.id })}>
                <bdi>{one.organization || one.sender}</bdi>
              </a>
            </Cell>
            <Cell label={t("kind")}>{kindWords(one.kind)}</Cell>
            <Cell label={t("domain")}>{one.domain}</Cell>
            <Cell label={t("period")}>{periodOf(one)}</Cell>
            <Cell label={t("result")}>
              <Result report={one} />
            </Cell>
            <Cell label={t("came")}>
              <Time at={one.receivedAt} />
            </Cell>
          </tr>
        )}
      </List>
    </Page>
  );
}

function Result({ report: { passed, failed } }: { report: Report }) {
  return (
    <span class="result">
      <ShareBar
        label={t("passedFailed", { passed, failed })}
        parts={[
          { tone: "good", value: passed },
          { tone: "bad", value: failed },
        ]}
      />
      <span class="muted">{t("passedFailed", { passed, failed })}</span>
    </span>
  );
}

function OneReport({ id }: { id: string }) {
  const fetched = useFetched(async () => (await get("Report", id, properties)) ?? null, id);
  const found = fetched.value;
  const title = found
    ? t("report", { kind: kindWords(found.kind), organization: found.organization || found.sender })
    : t("reports");
  return (
    <Page title={title} back="reports">
      <Shown fetched={fetched}>
        {(report) =>
          report === null ? (
            <p class="empty">{tParts("gone")}</p>
          ) : (
            <>
              <Card>
                <dl class="facts">
                  <div>
                    <dt>{t("domain")}</dt>
                    <dd>{report.domain}</dd>
                  </div>
                  <div>
                    <dt>{t("period")}</dt>
                    <dd>{periodOf(report)}</dd>
                  </div>
                  <div>
                    <dt>{t("from")}</dt>
                    <dd>
                      <bdi>{report.sender}</bdi>
                    </dd>
                  </div>
                </dl>
                <Result report={report} />
              </Card>
              <Card title={t("largest")}>
                <div class="table-scroll">
                  <table aria-label={t("largest")}>
                    <thead>
                      <tr>
                        {[t("source"), t("outcome"), t("number"), t("more")].map((name) => (
                          <th key={name} scope="col">
                            {name}
                          </th>
                        ))}
                      </tr>
                    </thead>
                    <tbody>
                      {report.rows?.map(({ source, result, number: count, what }, at) => (
                        <tr key={at}>
                          <td data-label={t("source")}>{source}</td>
                          <td data-label={t("outcome")}>{result}</td>
                          <td data-label={t("number")} class="is-number">
                            {number(count)}
                          </td>
                          <td data-label={t("more")}>
                            <code>{JSON.stringify(what)}</code>
                          </td>
                        </tr>
                      ))}
                    </tbody>
                  </table>
                </div>
              </Card>
            </>
          )
        }
      </Shown>
    </Page>
  );
}
