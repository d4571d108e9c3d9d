import { t } from "../../messages/operator/guard.ts";
import { Button } from "../../shared/button.tsx";
import { number } from "../../shared/messages.ts";
import { type Listed, list } from "../api.ts";
import { accountIdOf } from "../parts/account-id.ts";
import { usePages } from "../parts/fetched.ts";
import { AgainButton, attempt, Badge, Cell, List, Page } from "../parts/page.tsx";
import { go, href, route } from "../route.ts";
import { Sender } from "./sender.tsx";

export function Senders() {
  const { id } = route.value;
  return id === undefined ? <SenderList /> : <Sender id={id} key={id} />;
}

const orUsual = (count: number | null) => (count === null ? t("usual") : number(count));

function SenderList() {
  const pages = usePages((after) => list("Standing", { after }), "senders", { on: "mail" });
  const lookUp = async (login: string) => {
    const id = await accountIdOf(login);
    if (id === undefined) throw new Error(t("noAccount"));
    go({ place: "senders", id });
  };
  return (
    <Page title={t("senders")} about={t("sendersAbout")} actions={<AgainButton fetched={pages} />}>
      <form
        class="line-form"
        onSubmit={(event) => {
          event.preventDefault();
          const login = String(new FormData(event.currentTarget).get("login"));
          void attempt(() => lookUp(login), " ");
        }}
      >
        <label class="field">
          <span>{t("lookUp")}</span>
          <input class="input" name="login" type="email" required autocomplete="off" placeholder="ann@example.org" />
        </label>
        <Button submits icon="search">
          {t("lookUp")}
        </Button>
      </form>
      <List
        pages={pages}
        label={t("senders")}
        columns={[t("account"), t("state"), t("waiting"), t("limits")]}
        empty={t("noneHeld")}
      >
        {(one) => (
          <tr key={one.id}>
            <Cell label={t("account")} class="is-main">
              <a href={href({ place: "senders", id: one.id })}>
                <bdi>{one.login}</bdi>
              </a>
            </Cell>
            <Cell label={t("state")}>
              <Held sender={one} />
            </Cell>
            <Cell label={t("waiting")} class="is-number">
              {number(one.waiting)}
            </Cell>
            <Cell label={t("limits")}>
              {one.hourly === null && one.daily === null
                ? t("usual")
                : t("limitsOf", { hourly: orUsual(one.hourly), daily: orUsual(one.daily) })}
            </Cell>
          </tr>
        )}
      </List>
    </Page>
  );
}

function Held({ sender: { hold } }: { sender: Listed["Standing"] }) {
  return hold ? <Badge state="warn">{t("held")}</Badge> : <Badge state="good">{t("sends")}</Badge>;
}
