import { t } from "../../messages/settings.ts";
import { AppPasswords } from "./app-passwords.tsx";
import { PasswordForm } from "./password.tsx";
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
