import { t as words } from "../../messages/second-factor.ts";
import { t } from "../../messages/settings.ts";
import { AppPasswords } from "./app-passwords.tsx";
import { PasswordForm } from "./password.tsx";
import { SecondFactors } from "./second-factors.tsx";
import { SignIns } from "./sign-ins.tsx";

export const securityCapability = "https://posthorn.example/jmap/account";

/** With what, and where, somebody signs in. */
export function Security() {
  return (
    <>
      <section class="settings-part">
        <h3>{t("password")}</h3>
        <PasswordForm />
      </section>
      <section class="settings-part">
        <h3>{words("factors")}</h3>
        <SecondFactors />
      </section>
      <section class="settings-part">
        <h3>{t("signIns")}</h3>
        <SignIns />
      </section>
      <section class="settings-part">
        <h3>{t("appPasswords")}</h3>
        <p class="muted">{t("appPasswordsWhy")}</p>
        <AppPasswords />
      </section>
    </>
  );
}
