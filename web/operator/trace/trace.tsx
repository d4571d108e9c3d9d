import { t } from "../../messages/operator/trace.ts";
import { ask, type Story } from "../api.ts";
import { isLive } from "../news.ts";
import { useFetched } from "../parts/fetched.ts";
import { ChoiceFilter, Filters, TextFilter } from "../parts/filters.tsx";
import { Card, Page, Shown } from "../parts/page.tsx";
import { exact } from "../parts/times.ts";
import { Attempts } from "../queue/attempts.tsx";
import { href, route } from "../route.ts";

/** The stories of a mail, by its id, its Message-ID or an address. */
export function Trace() {
  const { about = "", days = "" } = route.value.filter;
  return (
    <Page title={t("title")} about={t("about")}>
      <Filters label={t("title")}>
        <TextFilter name="about" label={t("what")} hint="<…@example.org>" />
        <ChoiceFilter
          name="days"
          label={t("days")}
          choices={[
            ["", t("twoDays")],
            ["1", t("day")],
            ["7", t("week")],
            ["30", t("month")],
          ]}
        />
      </Filters>
      {about === "" ? <p class="empty">{t("begin")}</p> : <Found key={`${about} ${days}`} about={about} days={days} />}
    </Page>
  );
}

function Found({ about, days }: { about: string; days: string }) {
  const load = () => ask<{ list: Story[] }>("MailTrace/find", { about, ...(days !== "" && { days: Number(days) }) });
  // What is of one mail is found at once; a search reads the log of days.
  const isOne = isId(about);
  const fetched = useFetched(load, `${about} ${days}`, { on: isOne ? "mail" : "nothing" });
  return (
    <>
      {isOne && isLive.value && (
        <p class="live" role="status">
          {t("live")}
        </p>
      )}
      <Shown fetched={fetched}>
        {({ list }) =>
          list.length === 0 ? (
            <p class="empty">{t("none")}</p>
          ) : (
            list.toReversed().map((story, at) => <StoryCard key={story.id ?? `refused ${at}`} story={story} />)
          )
        }
      </Shown>
    </>
  );
}

/** Of a mail: q12. */
const isId = (text: string) => /^q\w+$/.test(text);

const known = [
  "mail in",
  "mail out",
  "delivered",
  "forwarded",
  "delivery put off",
  "delivery set aside",
  "submitted",
  "refused",
] as const;
const eventWords = (event: string): string => {
  const name = known.find((one) => one === event);
  return name ? t(name) : event;
};
const text = (value: unknown): string =>
  Array.isArray(value)
    ? value.map(text).join(", ")
    : typeof value === "string" || typeof value === "number"
      ? String(value)
      : "";

function StoryCard({ story }: { story: Story }) {
  const { id, messageId, events, attempts, incoming } = story;
  const reason = incoming?.lastError ?? "";
  return (
    <Card title={id === null ? t("refusedMail") : t("mail", { id })}>
      {id !== null && route.value.filter.about !== id && (
        <p class="links">
          <a href={href({ place: "trace", filter: { about: id } })}>{t("follow")}</a>
        </p>
      )}
      {messageId && (
        <p>
          <code>{messageId}</code>
        </p>
      )}
      {incoming && (
        <p class="notice">
          {incoming.isSetAside ? t("setAside", { reason }) : t("waits", { n: incoming.attempts, reason })}
        </p>
      )}
      <h3>{t("steps")}</h3>
      <ol class="steps">
        {events.map(({ at, event, fields }) => (
          <li key={`${at} ${event} ${text(fields.to)}`}>
            <time dateTime={at}>{exact(at)}</time>
            <div class="row-main">
              <p>
                <strong>{eventWords(event)}</strong>
                {fields.from !== undefined && (
                  <>
                    {" "}
                    {t("from")} <bdi>{text(fields.from) || "<>"}</bdi>
                  </>
                )}
                {text(fields.to) !== "" && (
                  <>
                    {" "}
                    {t("to")} <bdi>{text(fields.to)}</bdi>
                  </>
                )}
              </p>
              {[fields.reply, fields.replies, fields.reason, fields.reasons]
                .map(text)
                .filter(Boolean)
                .map((one) => (
                  <p key={one} class="attempt-reply">
                    {one}
                  </p>
                ))}
              <details>
                <summary>{t("more")}</summary>
                {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it. */}
                <pre tabIndex={0}>{JSON.stringify(fields, null, 2)}</pre>
              </details>
            </div>
          </li>
        ))}
      </ol>
      {attempts.length > 0 && (
        <>
          <h3>{t("way")}</h3>
          <Attempts list={attempts} />
        </>
      )}
    </Card>
  );
}
