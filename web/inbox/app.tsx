import { t } from "../messages/shell.ts";
import { Asks } from "../shared/ask.tsx";
import { Button } from "../shared/button.tsx";
import { Toasts } from "../shared/toasts.tsx";
import { isJoining } from "./joining.ts";
import { lazy } from "./lazy.tsx";
import { begin, phase } from "./mail.ts";
import { Shell } from "./shell.tsx";

const SignIn = lazy(() => import("./sign-in/sign-in.tsx").then((module) => module.SignIn));
const Join = lazy(() => import("./sign-in/join.tsx").then((module) => module.Join));

const Consent = lazy(async () => (await import("./oauth/consent.tsx")).Consent);

export function App() {
  return (
    <>
      <Screen />
      <Toasts />
      <Asks />
    </>
  );
}

function Screen() {
  if (isJoining.value) return <Join />;
  switch (phase.value) {
    case "ready":
      return location.pathname === "/oauth/authorize" ? <Consent /> : <Shell />;
    case "signed-out":
      return <SignIn />;
    case "unreachable":
      return (
        <main class="centre">
          <h1>{t("unreachable")}</h1>
          <p class="muted">{t("unreachableWhy")}</p>
          <Button isPrimary onClick={() => void begin()}>
            {t("tryAgain")}
          </Button>
        </main>
      );
    default:
      return <main class="centre" aria-busy="true" aria-label={t("starting")} />;
  }
}
