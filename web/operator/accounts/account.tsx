import { useSignal } from "@preact/signals";
import { t } from "../../messages/operator/accounts.ts";
import { t as tParts } from "../../messages/operator/parts.ts";
import { Button } from "../../shared/button.tsx";
import { destroy, get, type Listed, update } from "../api.ts";
import { Confirm } from "../parts/confirm.tsx";
import { useFetched } from "../parts/fetched.ts";
import { AgainButton, Badge, Card, Changing, Page, Shown, Time } from "../parts/page.tsx";
import { go, href } from "../route.ts";
import { me } from "../session.ts";
import { Addresses } from "./addresses.tsx";
import { Credentials } from "./credentials.tsx";
import { MaskedAddresses } from "./masked.tsx";
import { PasswordField, QuotaField, quotaIn } from "./new-account.tsx";
import { Shares } from "./shares.tsx";
import { roomWords } from "./words.ts";

type Row = Listed["Account"];
const properties = ["login", "name", "createdAt", "used", "quota", "isHeld", "operator", "addresses", "shares"];

/** One account, and all that can be done to it. */
export function Account({ id }: { id: string }) {
  const fetched = useFetched(async () => (await get("Account", id, properties)) ?? null, id);
  return (
    <Page
      title={fetched.value?.login ?? t("facts")}
      back="accounts"
      actions={<AgainButton fetched={fetched} />}
      about={fetched.value?.login === me.value.login ? t("yourself") : undefined}
    >
      <Shown fetched={fetched}>
        {(account) =>
          account === null ? (
            <p class="empty">{tParts("gone")}</p>
          ) : (
            <>
              <Facts account={account} again={fetched.again} />
              <Addresses account={account} />
              <MaskedAddresses account={account} />
              <Shares account={account} again={fetched.again} />
              <Credentials account={account} />
            </>
          )
        }
      </Shown>
    </Page>
  );
}

type Open = "change" | "password" | "sign-ins" | "remove";

function Facts({ account, again }: { account: Row; again(): Promise<void> }) {
  const open = useSignal<Open | undefined>(undefined);
  const { id, login, name, createdAt, isHeld } = account;
  const close = (isDone: boolean) => {
    const was = open.peek();
    open.value = undefined;
    if (!isDone) return;
    if (was === "remove") go({ place: "accounts" });
    else void again();
  };
  return (
    <Card>
      <dl class="facts">
        <div>
          <dt>{t("name")}</dt>
          <dd>
            <bdi>{name === login ? "–" : name}</bdi>
          </dd>
        </div>
        <div>
          <dt>{t("used")}</dt>
          <dd>{roomWords(account)}</dd>
        </div>
        <div>
          <dt>{t("since")}</dt>
          <dd>
            <Time at={createdAt} />
          </dd>
        </div>
        {isHeld && (
          <div>
            <dt>{t("sender")}</dt>
            <dd>
              <Badge state="warn">{t("held")}</Badge>
            </dd>
          </div>
        )}
      </dl>
      <p class="links">
        <a href={href({ place: "queue", filter: { sender: login } })}>{t("queue")}</a>
        <a href={href({ place: "senders", id })}>{t("sender")}</a>
        <a href={href({ place: "suppression", filter: { account: login } })}>{t("suppressed")}</a>
        <a href={href({ place: "audit", filter: { account: login } })}>{t("audit")}</a>
      </p>
      <Changing>
        <div class="acts">
          <Button onClick={() => (open.value = "change")}>{t("changeTitle")}</Button>
          <Button onClick={() => (open.value = "password")}>{t("setPassword")}</Button>
          <Button onClick={() => (open.value = "sign-ins")}>{t("endSignIns")}</Button>
          {login !== me.value.login && (
            <Button isDanger onClick={() => (open.value = "remove")}>
              {t("remove")}
            </Button>
          )}
        </div>
      </Changing>
      {open.value === "change" && (
        <Confirm
          title={t("changeTitle")}
          act={t("save")}
          done={t("changed")}
          work={(form) => update("Account", id, { name: String(form.get("name")).trim(), quota: quotaIn(form) })}
          onClose={close}
        >
          <label class="field">
            <span>{t("name")}</span>
            <input
              class="input"
              name="name"
              maxLength={200}
              defaultValue={name === login ? "" : name}
              dir="auto"
              data-first
            />
          </label>
          <QuotaField quota={account.quota} />
        </Confirm>
      )}
      {open.value === "password" && (
        <Confirm
          title={t("setPassword")}
          act={t("save")}
          done={t("passwordSet")}
          work={(form) => update("Account", id, { password: String(form.get("password")) })}
          onClose={close}
        >
          <p>{t("setPasswordWhy")}</p>
          <PasswordField />
        </Confirm>
      )}
      {open.value === "sign-ins" && (
        <Confirm
          title={t("endSignIns")}
          act={t("endSignIns")}
          done={t("ended")}
          work={() => update("Account", id, { signIns: "end" })}
          onClose={close}
        >
          <p>{t("endSignInsWhy")}</p>
        </Confirm>
      )}
      {open.value === "remove" && (
        <Confirm
          title={t("removeTitle", { login })}
          act={t("remove")}
          typed={login}
          isDanger
          done={t("removed")}
          work={() => destroy("Account", id)}
          onClose={close}
        >
          <p>{t("removeWhy")}</p>
        </Confirm>
      )}
    </Card>
  );
}
