import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { t } from "../../messages/operator/domains.ts";
import { Button } from "../../shared/button.tsx";
import { create, list } from "../api.ts";
import { Confirm } from "../parts/confirm.tsx";
import { usePages } from "../parts/fetched.ts";
import { Filters, TextFilter } from "../parts/filters.tsx";
import { AgainButton, Cell, Changing, List, Page, Time } from "../parts/page.tsx";
import { go, href, route } from "../route.ts";
import { isForAll } from "../session.ts";
import { Domain } from "./domain.tsx";

export function Domains() {
  const { id } = route.value;
  return id === undefined ? <DomainList /> : <Domain id={id} key={id} />;
}

function DomainList() {
  const { begins } = route.value.filter;
  const wanted = begins ? { begins } : {};
  const pages = usePages((after) => list("Domain", { filter: wanted, after }), JSON.stringify(wanted));
  const isAdding = useSignal(false);
  const made = useRef<string | undefined>(undefined);
  const close = (isDone: boolean) => {
    isAdding.value = false;
    if (isDone && made.current !== undefined) go({ place: "domains", id: made.current });
  };
  return (
    <Page
      title={t("title")}
      about={t("about")}
      actions={
        <>
          <AgainButton fetched={pages} />
          {isForAll.value && (
            <Changing>
              <Button isPrimary icon="plus" onClick={() => (isAdding.value = true)}>
                {t("add")}
              </Button>
            </Changing>
          )}
        </>
      }
    >
      <Filters label={t("title")}>
        <TextFilter name="begins" label={t("begins")} hint="example" />
      </Filters>
      <List pages={pages} label={t("title")} columns={[t("name"), t("since")]} empty={t("none")}>
        {({ id, name, createdAt }) => (
          <tr key={id}>
            <Cell label={t("name")} class="is-main">
              <a href={href({ place: "domains", id })}>{name}</a>
            </Cell>
            <Cell label={t("since")}>
              <Time at={createdAt} />
            </Cell>
          </tr>
        )}
      </List>
      {isAdding.value && (
        <Confirm
          title={t("add")}
          act={t("addAct")}
          done={t("added")}
          work={async (form) => {
            made.current = (await create("Domain", { name: String(form.get("name")).trim() })).id;
          }}
          onClose={close}
        >
          <p class="muted">{t("addWhy")}</p>
          <label class="field">
            <span>{t("name")}</span>
            <input
              class="input"
              name="name"
              required
              autocomplete="off"
              spellcheck={false}
              placeholder="example.org"
              data-first
            />
          </label>
        </Confirm>
      )}
    </Page>
  );
}
