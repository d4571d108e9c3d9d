import { t } from "../messages/operator/shell.ts";
import { Button } from "../shared/button.tsx";
import { Toasts } from "../shared/toasts.tsx";
import { begin, phase } from "./session.ts";
import { Shell } from "./shell.tsx";
import { SignIn } from "./sign-in/sign-in.tsx";

export function App() {
  return (
    <>
      <Screen />
      <Toasts />
    </>
  );
}

function Screen() {
  switch (phase.value) {
    case "ready":
      return <Shell />;
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
