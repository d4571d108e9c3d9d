import { useSignal } from "@preact/signals";
import { t } from "../../messages/operator/accounts.ts";
import { Button } from "../../shared/button.tsx";
import { type Listed, list } from "../api.ts";
import { usePages } from "../parts/fetched.ts";
import { Filters, TextFilter } from "../parts/filters.tsx";
import { AgainButton, Badge, Cell, Changing, List, Page, Time } from "../parts/page.tsx";
import { go, href, route } from "../route.ts";
import { Account } from "./account.tsx";
import { NewAccount } from "./new-account.tsx";
import { roleWords, roomWords } from "./words.ts";

type Row = Listed["Account"];

export function Accounts() {
  const { id } = route.value;
  return id === undefined ? <AccountList /> : <Account id={id} key={id} />;
}

function AccountList() {
  const { begins, domain } = route.value.filter;
  const isAdding = useSignal(false);
  const wanted = { ...(begins && { begins }), ...(domain && { domain }) };
  const pages = usePages((after) => list("Account", { filter: wanted, after }), JSON.stringify(wanted));
  const close = (id: string | undefined) => {
    isAdding.value = false;
    if (id !== undefined) go({ place: "accounts", id });
  };
  return (
    <Page
      title={t("title")}
      about={t("about")}
      actions={
        <>
          <AgainButton fetched={pages} />
          <Changing>
            <Button isPrimary icon="plus" onClick={() => (isAdding.value = true)}>
              {t("add")}
            </Button>
          </Changing>
        </>
      }
    >
      <Filters label={t("title")}>
        <TextFilter name="begins" label={t("begins")} hint="ann" />
        <TextFilter name="domain" label={t("domain")} hint="example.org" />
      </Filters>
      <List
        pages={pages}
        label={t("title")}
        columns={[t("login"), t("name"), t("used"), t("role"), t("since")]}
        empty={t("none")}
      >
        {(one) => <AccountRow key={one.id} account={one} />}
      </List>
      {isAdding.value && <NewAccount onClose={close} />}
    </Page>
  );
}

function AccountRow({ account }: { account: Row }) {
  const { id, login, name, isHeld, operator, createdAt } = account;
  return (
    <tr>
      <Cell label={t("login")} class="is-main">
        <a href={href({ place: "accounts", id })}>
          <bdi>{login}</bdi>
        </a>{" "}
        {isHeld && <Badge state="warn">{t("held")}</Badge>}
      </Cell>
      <Cell label={t("name")}>
        <bdi>{name === login ? "" : name}</bdi>
      </Cell>
      <Cell label={t("used")} class="is-number">
        {roomWords(account)}
      </Cell>
      <Cell label={t("role")}>{operator && roleWords(operator)}</Cell>
      <Cell label={t("since")}>
        <Time at={createdAt} />
      </Cell>
    </tr>
  );
}
