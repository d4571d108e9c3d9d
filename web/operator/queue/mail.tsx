import { t } from "../../messages/operator/queue.ts";
import { get, type Listed } from "../api.ts";
import { useFetched } from "../parts/fetched.ts";
import { AgainButton, Badge, Card, Page, Shown, Time } from "../parts/page.tsx";
import { href } from "../route.ts";
import { Acts } from "./acts.tsx";
import { Attempts } from "./attempts.tsx";
import { stateBadge, stateWords } from "./words.ts";

type Mail = Listed["QueuedMessage"];
const properties = ["name", "accountId", "login", "mailFrom", "createdAt", "sendAt", "deliveries", "attempts"];

/** One mail that waits: its recipients, and each try to send it with what was said. */
export function QueuedMail({ id }: { id: string }) {
  const fetched = useFetched(async () => (await get("QueuedMessage", id, properties)) ?? null, id, { on: "mail" });
  const mail = fetched.value;
  return (
    <Page title={t("mail", { name: mail?.name ?? "" })} back="queue" actions={<AgainButton fetched={fetched} />}>
      <Shown fetched={fetched}>
        {(found) =>
          found === null ? <p class="empty">{t("gone")}</p> : <Details mail={found} again={fetched.again} />
        }
      </Shown>
    </Page>
  );
}

function Details({ mail, again }: { mail: Mail; again(): Promise<void> }) {
  return (
    <>
      <Acts mail={mail} again={again} />
      <Card>
        <dl class="facts">
          <div>
            <dt>{t("from")}</dt>
            <dd>
              <bdi>{mail.mailFrom === "" ? t("server") : mail.mailFrom}</bdi>
            </dd>
          </div>
          <div>
            <dt>{t("account")}</dt>
            <dd>
              {mail.login && (
                <a href={href({ place: "accounts", id: mail.accountId })}>
                  <bdi>{mail.login}</bdi>
                </a>
              )}
            </dd>
          </div>
          <div>
            <dt>{t("submitted")}</dt>
            <dd>
              <Time at={mail.createdAt} />
            </dd>
          </div>
        </dl>
      </Card>
      <Card title={t("recipients")}>
        <ul class="rows">
          {mail.deliveries.map((one) => (
            <li key={one.rcptTo}>
              <div class="row-main">
                <strong>
                  <bdi>{one.rcptTo}</bdi>
                </strong>
                <span class="muted">{one.attempts === 0 ? t("noAnswer") : one.reply}</span>
                {one.route && <span class="muted">{t("route", { host: one.route })}</span>}
                {one.state === "held" && (
                  <span class="muted">
                    {one.heldFor ? t("heldForStanding", { reason: one.heldFor }) : t("heldByOperator")}
                  </span>
                )}
              </div>
              <span class="row-end">
                <Badge state={stateBadge(one.state)}>{stateWords(one.state)}</Badge>
                {one.nextAttemptAt && (
                  <span class="muted">
                    {t("next")}: <Time at={one.nextAttemptAt} />
                  </span>
                )}
              </span>
            </li>
          ))}
        </ul>
      </Card>
      <p class="links">
        <a href={href({ place: "trace", filter: { about: mail.name } })}>{t("story")}</a>
      </p>
      <Card title={t("attempts")}>
        <Attempts list={mail.attempts ?? []} />
      </Card>
    </>
  );
}
