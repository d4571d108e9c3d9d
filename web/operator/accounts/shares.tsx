import { t } from "../../messages/operator/accounts.ts";
import { Button, IconButton } from "../../shared/button.tsx";
import { type Listed, update } from "../api.ts";
import { attempt, Card, Changing } from "../parts/page.tsx";

/** The logins that the account is open to beside its own. */
export function Shares({ account, again }: { account: Listed["Account"]; again(): Promise<void> }) {
  const { id, shares = [] } = account;
  const change = async (given: object, done: string) => {
    const isDone = await attempt(() => update("Account", id, { shares: given }), done);
    await again();
    return isDone;
  };
  return (
    <Card title={t("shares")}>
      <p class="muted">{t("sharesWhy")}</p>
      {shares.length === 0 ? (
        <p class="empty">{t("noShares")}</p>
      ) : (
        <ul class="rows">
          {shares.map((login) => (
            <li key={login}>
              <span class="row-main">
                <bdi>{login}</bdi>
              </span>
              <Changing>
                <IconButton
                  icon="trash"
                  label={t("unshare", { login })}
                  onClick={() => void change({ remove: [login] }, t("unshared"))}
                />
              </Changing>
            </li>
          ))}
        </ul>
      )}
      <Changing>
        <form
          class="line-form"
          onSubmit={async (event) => {
            event.preventDefault();
            const form = event.currentTarget;
            const login = String(new FormData(form).get("login")).trim();
            if (await change({ add: [login] }, t("shared"))) form.reset();
          }}
        >
          <label class="field">
            <span>{t("share")}</span>
            <input class="input" name="login" type="email" required autocomplete="off" placeholder="bob@example.org" />
          </label>
          <Button submits icon="plus">
            {t("addAct")}
          </Button>
        </form>
      </Changing>
    </Card>
  );
}
