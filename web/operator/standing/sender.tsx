import { useSignal } from "@preact/signals";
import { t } from "../../messages/operator/guard.ts";
import { t as tParts } from "../../messages/operator/parts.ts";
import { Button } from "../../shared/button.tsx";
import { number } from "../../shared/messages.ts";
import { get, type Listed, type Sent, update } from "../api.ts";
import { Confirm } from "../parts/confirm.tsx";
import { useFetched } from "../parts/fetched.ts";
import { AgainButton, Badge, Card, Changing, Page, Shown } from "../parts/page.tsx";
import { relative } from "../parts/times.ts";

type Standing = Listed["Standing"];
const properties = ["login", "hold", "waiting", "hourly", "daily", "limits", "sent", "goodDays"];
const reasons = ["bounces", "complaints", "spam", "takeover", "operator"] as const;

/** One account as a sender. */
export function Sender({ id }: { id: string }) {
  const fetched = useFetched(async () => (await get("Standing", id, properties)) ?? null, id);
  return (
    <Page title={fetched.value?.login ?? t("senders")} back="senders" actions={<AgainButton fetched={fetched} />}>
      <Shown fetched={fetched}>
        {(one) =>
          one === null ? <p class="empty">{tParts("gone")}</p> : <Details sender={one} again={fetched.again} />
        }
      </Shown>
    </Page>
  );
}

function Details({ sender, again }: { sender: Standing; again(): Promise<void> }) {
  const { hold, waiting, limits, goodDays = 0, sent } = sender;
  const reason = reasons.find((one) => one === hold?.reason);
  const shown = (count: number | null | undefined) => (count == null ? t("noLimit") : number(count));
  return (
    <>
      <Acts sender={sender} again={again} />
      <Card>
        <p>{hold ? <Badge state="warn">{t("held")}</Badge> : <Badge state="good">{t("sends")}</Badge>}</p>
        {hold && (
          <>
            <p>{t("heldSince", { time: relative(hold.at), why: reason ? t(reason) : hold.reason })}</p>
            <p class="muted">{t("told", { text: hold.text })}</p>
          </>
        )}
        <dl class="figures">
          <div>
            <dt>{t("waiting")}</dt>
            <dd>{number(waiting)}</dd>
          </div>
          <div>
            <dt>
              {t("may")}, {t("hourly")}
            </dt>
            <dd>{shown(limits?.hourly)}</dd>
          </div>
          <div>
            <dt>
              {t("may")}, {t("daily")}
            </dt>
            <dd>{shown(limits?.daily)}</dd>
          </div>
          <div>
            <dt>{t("good")}</dt>
            <dd>{number(goodDays)}</dd>
          </div>
        </dl>
      </Card>
      {sent && (
        <Card title={t("sent")}>
          <SentTable sent={sent} />
        </Card>
      )}
    </>
  );
}

const columns = ["messages", "recipients", "spam", "away", "hard", "complaints"] as const;
const heads = {
  messages: "mails",
  recipients: "recipients",
  spam: "likeSpam",
  away: "away",
  hard: "hard",
  complaints: "complained",
} as const;

function SentTable({ sent }: { sent: Record<"hour" | "day" | "week", Sent> }) {
  return (
    <div class="table-scroll">
      <table aria-label={t("sent")}>
        <thead>
          <tr>
            <th scope="col">{t("period")}</th>
            {columns.map((one) => (
              <th key={one} scope="col">
                {t(heads[one])}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {(["hour", "day", "week"] as const).map((period) => (
            <tr key={period}>
              <td data-label={t("period")}>{t(period)}</td>
              {columns.map((one) => (
                <td key={one} data-label={t(heads[one])} class="is-number">
                  {number(sent[period][one])}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Acts({ sender, again }: { sender: Standing; again(): Promise<void> }) {
  const open = useSignal<"hold" | "go" | "limits" | undefined>(undefined);
  const { id, hold } = sender;
  const close = (isDone: boolean) => {
    open.value = undefined;
    if (isDone) void again();
  };
  const limitIn = (form: FormData, name: string) => {
    const text = String(form.get(name)).trim();
    return text === "" ? null : Number(text);
  };
  return (
    <Changing>
      <span class="acts">
        {hold ? (
          <Button isPrimary onClick={() => (open.value = "go")}>
            {t("letGo")}
          </Button>
        ) : (
          <Button onClick={() => (open.value = "hold")}>{t("hold")}</Button>
        )}
        <Button onClick={() => (open.value = "limits")}>{t("setLimits")}</Button>
      </span>
      {open.value === "go" && (
        <Confirm
          title={t("letGo")}
          act={t("letGo")}
          done={t("letGoDone")}
          work={() => update("Standing", id, { hold: null })}
          onClose={close}
        >
          <p>{t("letGoWhy")}</p>
        </Confirm>
      )}
      {open.value === "hold" && (
        <Confirm
          title={t("hold")}
          act={t("hold")}
          isDanger
          done={t("holdDone")}
          work={(form) => update("Standing", id, { hold: String(form.get("reason")).trim() })}
          onClose={close}
        >
          <p>{t("holdWhy")}</p>
          <label class="field">
            <span>{t("holdReason")}</span>
            <input class="input" name="reason" required maxLength={500} dir="auto" data-first />
          </label>
        </Confirm>
      )}
      {open.value === "limits" && (
        <Confirm
          title={t("setLimits")}
          act={t("save")}
          done={t("limitsSet")}
          work={(form) => update("Standing", id, { hourly: limitIn(form, "hourly"), daily: limitIn(form, "daily") })}
          onClose={close}
        >
          <p>{t("setLimitsWhy")}</p>
          {(["hourly", "daily"] as const).map((name) => (
            <label key={name} class="field">
              <span>{t(name)}</span>
              <input
                class="input"
                name={name}
                type="number"
                min="0"
                step="1"
                defaultValue={String(sender[name] ?? "")}
              />
            </label>
          ))}
        </Confirm>
      )}
    </Changing>
  );
}
