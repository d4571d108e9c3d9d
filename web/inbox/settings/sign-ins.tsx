import { t } from "../../messages/settings.ts";
import { Button } from "../../shared/button.tsx";
import type { SignIn } from "../../shared/jmap/types.ts";
import { theMail } from "../mail.ts";
import { agentName, lastUse } from "./last-use.ts";
import { attempt, Loaded, throwRefused } from "./loaded.tsx";

const load = async (): Promise<SignIn[]> => (await theMail().jmap.call("SignIn/get", { ids: null })).list;

/** Browsers that are signed in, programs that were allowed, and other tokens: each can be ended from here. */
export function SignIns() {
  return (
    <Loaded load={load}>
      {(list, again) => {
        const end = (ids: string[]) =>
          void attempt(async () => {
            const { notDestroyed } = await theMail().jmap.call("SignIn/set", { destroy: ids });
            throwRefused(notDestroyed);
            await again();
          }, t("ended"));
        const others = list.filter(({ isCurrent }) => !isCurrent);
        const nameOf = ({ agent, label }: SignIn) => (agent ? agentName(agent) : label || t("none"));
        const useOf = (one: SignIn) =>
          one.kind === "application" ? `${t("application")} · ${lastUse(one)}` : lastUse(one);
        return (
          <>
            <ul class="settings-rows">
              {list.map((one) => (
                <li key={one.id}>
                  <span class="settings-row-main">
                    <strong>
                      <bdi>{nameOf(one)}</bdi>
                    </strong>
                    <span class="muted">{one.isCurrent ? t("thisBrowser") : useOf(one)}</span>
                  </span>
                  {!one.isCurrent && (
                    <Button onClick={() => end([one.id])}>
                      {t("end")}
                      <span class="visually-hidden">: {nameOf(one)}</span>
                    </Button>
                  )}
                </li>
              ))}
            </ul>
            {others.length > 1 && <Button onClick={() => end(others.map(({ id }) => id))}>{t("endAll")}</Button>}
          </>
        );
      }}
    </Loaded>
  );
}
