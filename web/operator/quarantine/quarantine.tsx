import { useSignal } from "@preact/signals";
import { t } from "../../messages/operator/guard.ts";
import { t as tParts } from "../../messages/operator/parts.ts";
import { t as tWhole } from "../../messages/operator/whole.ts";
import { Button } from "../../shared/button.tsx";
import { size } from "../../shared/messages.ts";
import { destroy, get, type Listed, list, update } from "../api.ts";
import { Confirm } from "../parts/confirm.tsx";
import { useFetched, usePages } from "../parts/fetched.ts";
import { Filters, TextFilter } from "../parts/filters.tsx";
import { AgainButton, Badge, Card, Cell, Changing, List, Page, Shown, Time } from "../parts/page.tsx";
import { Whole, type WholeAct } from "../parts/whole.tsx";
import { go, href, route } from "../route.ts";

type Mail = Listed["Quarantined"];
const properties = ["createdAt", "size", "mailFrom", "recipients", "virus", "junkReason", "header"];
const sender = ({ mailFrom }: Mail) => (mailFrom === "" ? t("nobody") : mailFrom);

export function Quarantine() {
  const { id } = route.value;
  return id === undefined ? <QuarantineList /> : <OneMail id={id} key={id} />;
}

function QuarantineList() {
  const { contains = "" } = route.value.filter;
  const filter = contains === "" ? {} : { contains };
  const pages = usePages((after) => list("Quarantined", { filter, after }), `quarantine ${contains}`, { on: "mail" });
  const acts: WholeAct[] = (["delete", "release"] as const).map((act) => ({
    name: act,
    words: t(act),
    isDanger: true,
    args: () => ({ act }),
  }));
  return (
    <Page
      title={t("quarantine")}
      about={t("quarantineAbout")}
      actions={
        <>
          <AgainButton fetched={pages} />
          <Whole
            method="Quarantined/decide"
            title={t("wholeQuarantine")}
            isEmpty={!pages.rows?.length}
            words={(n) => tWhole("infected", { n })}
            onDone={() => void pages.again()}
            {...{ filter, acts }}
          />
        </>
      }
    >
      <Filters label={t("quarantine")}>
        <TextFilter name="contains" label={t("virusOrSender")} />
      </Filters>
      <List
        pages={pages}
        label={t("quarantine")}
        columns={[t("virus"), t("from"), t("to"), t("came"), t("size")]}
        empty={contains === "" ? t("clean") : t("nothingSo")}
      >
        {(mail) => (
          <tr key={mail.id}>
            <Cell label={t("virus")} class="is-main">
              <a href={href({ place: "quarantine", id: mail.id })}>{mail.virus}</a>
            </Cell>
            <Cell label={t("from")}>
              <bdi>{sender(mail)}</bdi>
            </Cell>
            <Cell label={t("to")}>
              <bdi>{mail.recipients.join(", ")}</bdi>
            </Cell>
            <Cell label={t("came")}>
              <Time at={mail.createdAt} />
            </Cell>
            <Cell label={t("size")} class="is-number">
              {size(mail.size)}
            </Cell>
          </tr>
        )}
      </List>
    </Page>
  );
}

function OneMail({ id }: { id: string }) {
  const fetched = useFetched(async () => (await get("Quarantined", id, properties)) ?? null, id);
  const open = useSignal<"release" | "delete" | undefined>(undefined);
  const close = (isDone: boolean) => {
    open.value = undefined;
    if (isDone) go({ place: "quarantine" });
  };
  return (
    <Page title={fetched.value?.virus ?? t("quarantine")} back="quarantine">
      <Shown fetched={fetched}>
        {(mail) =>
          mail === null ? (
            <p class="empty">{tParts("gone")}</p>
          ) : (
            <>
              <Changing>
                <span class="acts">
                  <Button onClick={() => (open.value = "release")}>{t("release")}</Button>
                  <Button isDanger onClick={() => (open.value = "delete")}>
                    {t("delete")}
                  </Button>
                </span>
              </Changing>
              <Card>
                <p>
                  <Badge state="bad">{mail.virus}</Badge>
                </p>
                <dl class="facts">
                  <div>
                    <dt>{t("from")}</dt>
                    <dd>
                      <bdi>{sender(mail)}</bdi>
                    </dd>
                  </div>
                  <div>
                    <dt>{t("to")}</dt>
                    <dd>
                      <bdi>{mail.recipients.join(", ")}</bdi>
                    </dd>
                  </div>
                  <div>
                    <dt>{t("came")}</dt>
                    <dd>
                      <Time at={mail.createdAt} />
                    </dd>
                  </div>
                </dl>
              </Card>
              <Card title={t("header")}>
                <p class="muted">{t("headerWhy")}</p>
                {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it. */}
                <pre tabIndex={0}>{mail.header}</pre>
              </Card>
            </>
          )
        }
      </Shown>
      {open.value === "release" && (
        <Confirm
          title={t("releaseTitle")}
          act={t("release")}
          isDanger
          done={t("released")}
          work={() => update("Quarantined", id, { isReleased: true })}
          onClose={close}
        >
          <p>{t("releaseWhy")}</p>
        </Confirm>
      )}
      {open.value === "delete" && (
        <Confirm
          title={t("deleteTitle")}
          act={t("delete")}
          isDanger
          done={t("deleted")}
          work={() => destroy("Quarantined", id)}
          onClose={close}
        >
          <p>{t("deleteWhy")}</p>
        </Confirm>
      )}
    </Page>
  );
}
