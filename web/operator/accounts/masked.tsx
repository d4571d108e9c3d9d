import { useSignal } from "@preact/signals";
import { t } from "../../messages/operator/masked.ts";
import { Button } from "../../shared/button.tsx";
import { create, type Listed, list, update } from "../api.ts";
import { Confirm } from "../parts/confirm.tsx";
import { usePages } from "../parts/fetched.ts";
import { attempt, Badge, Card, Changing, CopyButton, Fault } from "../parts/page.tsx";
import { relative } from "../parts/times.ts";

type Masked = Listed["MaskedAddress"];

/** Addresses that the account gives away one by one. */
export function MaskedAddresses({ account: { id } }: { account: Listed["Account"] }) {
  const pages = usePages(() => list("MaskedAddress", { filter: { accountId: id } }), `masked ${id}`);
  const isMaking = useSignal(false);
  const pause = async ({ id: own, state }: Masked) => {
    const isPaused = state !== "disabled";
    await attempt(() => update("MaskedAddress", own, { isPaused }), t(isPaused ? "paused" : "resumed"));
    await pages.again();
  };
  return (
    <Card
      title={t("title")}
      actions={
        <Changing>
          <Button onClick={() => (isMaking.value = true)}>{t("make")}</Button>
        </Changing>
      }
    >
      <p class="muted">{t("about")}</p>
      <Fault text={pages.fault} />
      {pages.rows?.length === 0 && <p class="empty">{t("none")}</p>}
      <ul class="rows">
        {pages.rows?.map((one) => (
          <li key={one.id}>
            <span class="row-main">
              <span class="field-line">
                <bdi>{one.email}</bdi>
                <CopyButton text={one.email} what={one.email} />
              </span>
              <span class="muted">{wordsOf(one)}</span>
            </span>
            <span class="row-end">
              {one.state !== "enabled" && <Badge state="warn">{t(one.state)}</Badge>}
              {one.state !== "deleted" && (
                <Changing>
                  <Button onClick={() => void pause(one)}>{t(one.state === "disabled" ? "resume" : "pause")}</Button>
                </Changing>
              )}
            </span>
          </li>
        ))}
      </ul>
      {isMaking.value && (
        <Confirm
          title={t("make")}
          act={t("makeAct")}
          done={t("made")}
          work={(form) => create("MaskedAddress", { accountId: id, label: String(form.get("label")).trim() })}
          onClose={(isDone) => {
            isMaking.value = false;
            if (isDone) void pages.again();
          }}
        >
          <label class="field">
            <span>{t("label")}</span>
            <input class="input" name="label" maxLength={200} placeholder={t("labelHint")} dir="auto" data-first />
          </label>
        </Confirm>
      )}
    </Card>
  );
}

function wordsOf({ label, messages, lastMessageAt, createdAt }: Masked): string {
  const parts = [
    label,
    t("mails", { n: messages }),
    lastMessageAt ? t("last", { time: relative(lastMessageAt) }) : t("since", { time: relative(createdAt) }),
  ];
  return parts.filter(Boolean).join(", ");
}
