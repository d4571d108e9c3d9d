import { useSignal } from "@preact/signals";
import { t } from "../../messages/operator/accounts.ts";
import { Button, IconButton } from "../../shared/button.tsx";
import { create, destroy, type Listed, list } from "../api.ts";
import { Confirm } from "../parts/confirm.tsx";
import { usePages } from "../parts/fetched.ts";
import { attempt, Card, Changing, CopyButton, Fault } from "../parts/page.tsx";
import { relative } from "../parts/times.ts";

type Credential = Listed["Credential"];
type Kind = "app-password" | "token";

/** What opens the account beside its password. */
export function Credentials({ account }: { account: Listed["Account"] }) {
  const { id } = account;
  const pages = usePages(() => list("Credential", { filter: { accountId: id } }), id);
  const making = useSignal<Kind | undefined>(undefined);
  const made = useSignal<{ label: string; secret: string } | undefined>(undefined);
  const end = async (one: Credential) => {
    await attempt(() => destroy("Credential", one.id), t("endedOne"));
    await pages.again();
  };
  const make = async (form: FormData) => {
    const label = String(form.get("label")).trim();
    const days = String(form.get("days") ?? "").trim();
    const given = { accountId: id, kind: making.peek(), label, ...(days !== "" && { days: Number(days) }) };
    made.value = { label, secret: (await create<{ id: string; secret: string }>("Credential", given)).secret };
  };
  return (
    <Card
      title={t("credentials")}
      actions={
        <Changing>
          <span class="acts">
            <Button onClick={() => (making.value = "app-password")}>{t("newAppPassword")}</Button>
            <Button onClick={() => (making.value = "token")}>{t("newToken")}</Button>
          </span>
        </Changing>
      }
    >
      <p class="muted">{t("credentialsWhy")}</p>
      {made.value && (
        <div class="secret" role="status">
          <p>
            <strong>{t("secretTitle", { label: made.value.label })}</strong> {t("secret")}
          </p>
          <p class="field-line">
            <code>{made.value.secret}</code>
            <CopyButton text={made.value.secret} what={made.value.label} />
            <Button onClick={() => (made.value = undefined)}>{t("done")}</Button>
          </p>
        </div>
      )}
      <Fault text={pages.fault} />
      {pages.rows?.length === 0 && <p class="empty">{t("noCredentials")}</p>}
      <ul class="rows">
        {pages.rows?.map((one) => (
          <li key={one.id}>
            <span class="row-main">
              <bdi>{one.kind === "sign-in" ? (one.agent ?? one.label) : one.label}</bdi>
              <span class="muted">{wordsOf(one)}</span>
            </span>
            <Changing>
              <IconButton icon="trash" label={t("end", { label: one.label })} onClick={() => void end(one)} />
            </Changing>
          </li>
        ))}
      </ul>
      {making.value && (
        <Confirm
          title={t(making.value === "token" ? "newToken" : "newAppPassword")}
          act={t("make")}
          work={make}
          onClose={(isDone) => {
            making.value = undefined;
            if (isDone) void pages.again();
          }}
        >
          <label class="field">
            <span>{t("label")}</span>
            <input
              class="input"
              name="label"
              required
              maxLength={200}
              placeholder={t("labelHint")}
              dir="auto"
              data-first
            />
          </label>
          {making.value === "token" && (
            <label class="field">
              <span>{t("days")}</span>
              <input class="input" name="days" type="number" min="1" step="1" placeholder={t("daysHint")} />
            </label>
          )}
        </Confirm>
      )}
    </Card>
  );
}

function wordsOf({ kind, createdAt, expiresAt, lastUsedAt, network }: Credential): string {
  const parts = [
    t(kind),
    t("created", { time: relative(createdAt) }),
    lastUsedAt ? t("lastUsed", { time: relative(lastUsedAt) }) : t("neverUsed"),
    network && t("network", { network }),
    expiresAt && t("expires", { time: relative(expiresAt) }),
  ];
  return parts.filter(Boolean).join(", ");
}
