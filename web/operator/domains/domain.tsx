import { useSignal } from "@preact/signals";
import { t } from "../../messages/operator/domains.ts";
import { t as tParts } from "../../messages/operator/parts.ts";
import { Button } from "../../shared/button.tsx";
import { destroy, get, type Listed } from "../api.ts";
import { Confirm } from "../parts/confirm.tsx";
import { useFetched } from "../parts/fetched.ts";
import { Card, Changing, CopyButton, Page, Shown } from "../parts/page.tsx";
import { go, href } from "../route.ts";
import { isForAll } from "../session.ts";
import { Check } from "./check.tsx";
import { Keys } from "./keys.tsx";
import { RecordTable } from "./records.tsx";
import { Sts } from "./sts.tsx";

const properties = ["name", "createdAt", "selector", "records", "zone"];

/** One domain: what DNS says of it, and what its owner publishes. */
export function Domain({ id }: { id: string }) {
  const fetched = useFetched(async () => (await get("Domain", id, properties)) ?? null, id);
  const isLeaving = useSignal(false);
  const name = fetched.value?.name ?? "";
  return (
    <Page
      title={name}
      back="domains"
      actions={
        isForAll.value && (
          <Changing>
            <Button onClick={() => (isLeaving.value = true)}>{t("remove")}</Button>
          </Changing>
        )
      }
    >
      <Shown fetched={fetched}>
        {(domain) =>
          domain === null ? (
            <p class="empty">{tParts("gone")}</p>
          ) : (
            <>
              <p class="links">
                <a href={href({ place: "accounts", filter: { domain: domain.name } })}>{t("accounts")}</a>
                <a href={href({ place: "reports", filter: { domain: domain.name } })}>{t("reports")}</a>
              </p>
              <Check id={id} />
              <Keys id={id} />
              <Sts id={id} />
              <Records domain={domain} />
            </>
          )
        }
      </Shown>
      {isLeaving.value && (
        <Confirm
          title={t("removeTitle", { name })}
          act={t("remove")}
          typed={name}
          isDanger
          done={t("removed")}
          work={() => destroy("Domain", id)}
          onClose={(isDone) => {
            isLeaving.value = false;
            if (isDone) go({ place: "domains" });
          }}
        >
          <p>{t("removeWhy")}</p>
        </Confirm>
      )}
    </Page>
  );
}

function Records({ domain }: { domain: Listed["Domain"] }) {
  const { records = [], zone = "" } = domain;
  return (
    <>
      <Card title={t("records")}>
        <p class="muted">{t("recordsWhy")}</p>
        <RecordTable records={records} label={t("records")} />
      </Card>
      <Card title={t("zone")}>
        <Lines text={zone} what={t("zoneAll")} />
      </Card>
    </>
  );
}

function Lines({ text, what }: { text: string; what: string }) {
  return (
    <div class="lines">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it. */}
      <pre tabIndex={0}>{text}</pre>
      <CopyButton text={text} what={what} />
    </div>
  );
}
