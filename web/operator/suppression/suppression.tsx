import { useSignal } from "@preact/signals";
import { t } from "../../messages/operator/guard.ts";
import { t as tWhole } from "../../messages/operator/whole.ts";
import { Button, IconButton } from "../../shared/button.tsx";
import { create, destroy, type Listed, list } from "../api.ts";
import { accountIdOf } from "../parts/account-id.ts";
import { Confirm } from "../parts/confirm.tsx";
import { useFetched, usePages } from "../parts/fetched.ts";
import { Filters, TextFilter } from "../parts/filters.tsx";
import { AgainButton, attempt, Cell, Changing, List, Page, Time } from "../parts/page.tsx";
import { Whole } from "../parts/whole.tsx";
import { route } from "../route.ts";
import { isForAll } from "../session.ts";

/** The account's id, or null for the list of all. */
async function listOf(account: string): Promise<string | null> {
  if (account === "") return null;
  const id = await accountIdOf(account);
  if (id === undefined) throw new Error(t("noAccount"));
  return id;
}

export function Suppression() {
  const { account = "", contains = "" } = route.value.filter;
  const wanted = async () => ({ accountId: await listOf(account), ...(contains !== "" && { contains }) });
  const isAdding = useSignal(false);
  const pages = usePages(
    async (after) => list("Suppression", { filter: await wanted(), after }),
    `suppression ${account} ${contains}`,
    { on: "mail" },
  );
  const whole = useFetched(wanted, `${account} ${contains}`, { on: "nothing" });
  const lift = async (one: Listed["Suppression"]) => {
    await attempt(() => destroy("Suppression", one.id), t("lifted"));
    await pages.again();
  };
  const isOwn = account !== "" || isForAll.value;
  return (
    <Page
      title={t("suppression")}
      about={t("suppressionAbout")}
      actions={
        <>
          <AgainButton fetched={pages} />
          {whole.value && (
            <Whole
              method="Suppression/lift"
              filter={whole.value}
              title={t("wholeSuppression")}
              isEmpty={!pages.rows?.length}
              acts={[{ name: "lift", words: t("liftAll"), isDanger: true, args: () => ({}) }]}
              words={(n) => tWhole("addresses", { n })}
              onDone={() => void pages.again()}
            />
          )}
          {isOwn && (
            <Changing>
              <Button isPrimary icon="plus" onClick={() => (isAdding.value = true)}>
                {t("suppress")}
              </Button>
            </Changing>
          )}
        </>
      }
    >
      <Filters label={t("suppression")}>
        <TextFilter name="account" label={t("ofAccount")} hint={t("forAll")} />
        <TextFilter name="contains" label={t("addressOrReason")} />
      </Filters>
      <List
        pages={pages}
        label={t("suppression")}
        columns={[t("address"), t("reason"), t("since"), t("acts")]}
        empty={t("noneSuppressed")}
      >
        {(one) => (
          <tr key={one.id}>
            <Cell label={t("address")} class="is-main">
              <bdi>{one.address}</bdi>
            </Cell>
            <Cell label={t("reason")} class="is-reply">
              {one.reason}
            </Cell>
            <Cell label={t("since")}>
              <Time at={one.since} />
            </Cell>
            <Cell label={t("acts")} class="is-acts">
              <Changing>
                <IconButton icon="trash" label={t("lift", { address: one.address })} onClick={() => void lift(one)} />
              </Changing>
            </Cell>
          </tr>
        )}
      </List>
      {isAdding.value && (
        <Confirm
          title={t("suppress")}
          act={t("suppressAct")}
          done={t("suppressed")}
          work={async (form) =>
            create("Suppression", {
              accountId: await listOf(account),
              address: String(form.get("address")).trim(),
              reason: String(form.get("reason")).trim(),
            })
          }
          onClose={(isDone) => {
            isAdding.value = false;
            if (isDone) void pages.again();
          }}
        >
          <p>{t("suppressWhy")}</p>
          <label class="field">
            <span>{t("address")}</span>
            <input class="input" name="address" type="email" required autocomplete="off" data-first />
          </label>
          <label class="field">
            <span>{t("reason")}</span>
            <input class="input" name="reason" required maxLength={500} />
          </label>
        </Confirm>
      )}
    </Page>
  );
}
