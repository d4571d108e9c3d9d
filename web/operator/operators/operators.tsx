import { useSignal } from "@preact/signals";
import { t } from "../../messages/operator/operators.ts";
import { Button } from "../../shared/button.tsx";
import { create, destroy, type Listed, list } from "../api.ts";
import { Confirm } from "../parts/confirm.tsx";
import { usePages } from "../parts/fetched.ts";
import { AgainButton, Cell, Changing, List, Page, Time } from "../parts/page.tsx";
import { me } from "../session.ts";

type Operator = Listed["Operator"];
const roles = ["admin", "domain-admin", "read-only"] as const;
type Role = (typeof roles)[number];

export function Operators() {
  const pages = usePages((after) => list("Operator", { after }), "operators");
  const open = useSignal<"new" | Operator | undefined>(undefined);
  const leaving = useSignal<Operator | undefined>(undefined);
  const close = (isDone: boolean) => {
    open.value = undefined;
    leaving.value = undefined;
    if (isDone) void pages.again();
  };
  return (
    <Page
      title={t("title")}
      about={t("about")}
      actions={
        <>
          <AgainButton fetched={pages} />
          <Changing>
            <Button isPrimary icon="plus" onClick={() => (open.value = "new")}>
              {t("add")}
            </Button>
          </Changing>
        </>
      }
    >
      <List
        pages={pages}
        label={t("title")}
        columns={[t("account"), t("role"), t("domains"), t("since"), t("acts")]}
        empty={t("none")}
      >
        {(one) => {
          const isMe = one.login === me.value.login;
          return (
            <tr key={one.id}>
              <Cell label={t("account")} class="is-main">
                <bdi>{one.login}</bdi> {isMe && <span class="muted">({t("you")})</span>}
              </Cell>
              <Cell label={t("role")}>{t(one.role as Role)}</Cell>
              <Cell label={t("domains")}>{one.domains === null ? t("all") : one.domains.join(", ")}</Cell>
              <Cell label={t("since")}>
                <Time at={one.createdAt} />
              </Cell>
              <Cell label={t("acts")} class="is-acts">
                {!isMe && (
                  <Changing>
                    <span class="acts">
                      <Button onClick={() => (open.value = one)}>{t("change")}</Button>
                      <Button onClick={() => (leaving.value = one)}>{t("remove")}</Button>
                    </span>
                  </Changing>
                )}
              </Cell>
            </tr>
          );
        }}
      </List>
      {open.value && <Edit of={open.value} onClose={close} />}
      {leaving.value && (
        <Confirm
          title={t("removeTitle", { login: leaving.value.login })}
          act={t("remove")}
          isDanger
          done={t("removed")}
          work={() => destroy("Operator", leaving.peek()!.id)}
          onClose={close}
        >
          <p>{t("removeWhy")}</p>
        </Confirm>
      )}
    </Page>
  );
}

function Edit({ of, onClose }: { of: "new" | Operator; onClose(isDone: boolean): void }) {
  const known = of === "new" ? undefined : of;
  const role = useSignal<Role>((known?.role as Role) ?? "admin");
  const work = (form: FormData) =>
    create("Operator", {
      login: known?.login ?? String(form.get("login")).trim(),
      role: role.peek(),
      domains:
        role.peek() === "domain-admin"
          ? String(form.get("domains"))
              .split(/[\s,]+/)
              .filter(Boolean)
          : [],
    });
  return (
    <Confirm title={known ? t("change") : t("add")} act={t("save")} done={t("saved")} work={work} onClose={onClose}>
      {known ? (
        <p>
          <bdi>{known.login}</bdi>
        </p>
      ) : (
        <>
          <p>{t("addWhy")}</p>
          <label class="field">
            <span>{t("account")}</span>
            <input class="input" name="login" type="email" required autocomplete="off" data-first />
          </label>
        </>
      )}
      <fieldset class="choices">
        <legend>{t("role")}</legend>
        {roles.map((one) => (
          <label key={one} class="choice">
            <input
              type="radio"
              name="role"
              value={one}
              checked={role.value === one}
              onChange={() => (role.value = one)}
            />
            <span>
              <strong>{t(one)}</strong>
              <span class="muted">{t(`${one}Why`)}</span>
            </span>
          </label>
        ))}
      </fieldset>
      {role.value === "domain-admin" && (
        <label class="field">
          <span>{t("domainsHint")}</span>
          <input class="input" name="domains" required defaultValue={known?.domains?.join(", ") ?? ""} />
        </label>
      )}
    </Confirm>
  );
}
