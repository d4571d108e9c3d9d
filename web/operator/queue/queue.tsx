import { t } from "../../messages/operator/queue.ts";
import { t as tWhole } from "../../messages/operator/whole.ts";
import { type Delivery, type Listed, list } from "../api.ts";
import { type Pages, usePages } from "../parts/fetched.ts";
import { ChoiceFilter, Filters, TextFilter } from "../parts/filters.tsx";
import { AgainButton, Badge, Cell, List, Page, Time } from "../parts/page.tsx";
import { Whole, type WholeAct } from "../parts/whole.tsx";
import { href, route } from "../route.ts";
import { Acts, HostField, ReplyField } from "./acts.tsx";
import { QueuedMail } from "./mail.tsx";
import { stateBadge, stateWords } from "./words.ts";

type Mail = Listed["QueuedMessage"];

/** What waits to leave, or one mail of it. */
export function Queue() {
  const { id } = route.value;
  return id === undefined ? <QueueList /> : <QueuedMail id={id} key={id} />;
}

function QueueList() {
  const { filter } = route.value;
  const { state, domain, sender, minAge } = filter;
  const wanted = {
    ...(state && { state }),
    ...(domain && { domain: domain.replace(/^.*@/, "") }),
    ...(sender && { sender }),
    ...(minAge && { minAge: Number(minAge) }),
  };
  const key = JSON.stringify(wanted);
  const pages = usePages((after) => list("QueuedMessage", { filter: wanted, after }), key, { on: "mail" });
  return (
    <Page
      title={t("title")}
      about={t("about")}
      actions={
        <>
          <AgainButton fetched={pages} />
          <WholeQueue filter={wanted} pages={pages} />
        </>
      }
    >
      <Filters label={t("title")}>
        <ChoiceFilter
          name="state"
          label={t("state")}
          choices={[
            ["", t("anyState")],
            ["waiting", t("waiting")],
            ["held", t("held")],
            ["delayed", t("delayed")],
            ["trying", t("trying")],
          ]}
        />
        <TextFilter name="domain" label={t("domain")} hint="example.org" />
        <TextFilter name="sender" label={t("sender")} hint="ann@example.org" />
        <ChoiceFilter
          name="minAge"
          label={t("minAge")}
          choices={[
            ["", t("anyAge")],
            ["3600", t("hour")],
            ["86400", t("day")],
          ]}
        />
      </Filters>
      <List
        pages={pages}
        label={t("title")}
        columns={[t("to"), t("from"), t("since"), t("lastAnswer"), t("next"), t("acts")]}
        empty={key === "{}" ? t("nothing") : t("nothingFiltered")}
      >
        {(mail) => <Row key={mail.id} mail={mail} again={pages.again} />}
      </List>
    </Page>
  );
}

function WholeQueue({ filter, pages }: { filter: object; pages: Pages<Mail> }) {
  const plain = (name: "retry" | "release" | "hold"): WholeAct => ({
    name,
    words: t(name),
    args: () => ({ order: { act: name } }),
  });
  const acts: WholeAct[] = [
    plain("retry"),
    plain("release"),
    plain("hold"),
    {
      name: "reroute",
      words: t("reroute"),
      fields: <HostField />,
      args: (form) => ({ order: { act: "reroute", host: String(form.get("host")).trim() } }),
    },
    {
      name: "bounce",
      words: t("bounce"),
      isDanger: true,
      fields: <ReplyField />,
      args: (form) => ({ order: { act: "bounce", reply: String(form.get("reply")).trim() } }),
    },
  ];
  return (
    <Whole
      method="QueuedMessage/order"
      title={t("whole")}
      words={(n) => tWhole("mails", { n })}
      isEmpty={!pages.rows?.length}
      onDone={() => void pages.again()}
      {...{ filter, acts }}
    />
  );
}

function Row({ mail, again }: { mail: Mail; again(): Promise<void> }) {
  const waiting = mail.deliveries.filter(({ state }) => !["sent", "failed", "canceled"].includes(state));
  const shown = waiting[0] ?? mail.deliveries[0];
  if (!shown) return null;
  const more = waiting.length - 1;
  return (
    <tr>
      <Cell label={t("to")} class="is-main">
        <a href={href({ place: "queue", id: mail.id })}>
          <bdi>{shown.rcptTo}</bdi>
        </a>
        {more > 0 && <span class="muted"> {t("andMore", { n: more })}</span>}
      </Cell>
      <Cell label={t("from")}>
        <bdi>{mail.mailFrom === "" ? t("server") : mail.mailFrom}</bdi>
      </Cell>
      <Cell label={t("since")}>
        <Time at={mail.createdAt} />
      </Cell>
      <Cell label={t("lastAnswer")} class="is-reply">
        {shown.attempts === 0 ? <span class="muted">{t("noAnswer")}</span> : shown.reply}
      </Cell>
      <Cell label={t("next")}>
        <Next delivery={shown} />
      </Cell>
      <Cell label={t("acts")} class="is-acts">
        <Acts mail={mail} again={again} isShort />
      </Cell>
    </tr>
  );
}

function Next({ delivery }: { delivery: Delivery }) {
  if (delivery.nextAttemptAt !== null) return <Time at={delivery.nextAttemptAt} />;
  return <Badge state={stateBadge(delivery.state)}>{stateWords(delivery.state)}</Badge>;
}
