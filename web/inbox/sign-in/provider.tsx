import { useEffect, useState } from "preact/hooks";
import { t } from "../../messages/sign-in.ts";
import { type AuthAnswer, askAuth, type NextStep } from "../../shared/auth.ts";
import { wantToStay } from "../../shared/jmap/session.ts";

interface Props {
  /** Somebody has come from there, and must show something more. */
  onStep(next: NextStep): void;
  onIn(): void;
  /** It did not come to that; with words about why. */
  onFault(why: string): void;
}

/** Signing in at the operator's identity provider, if there is one. */
export function Provider({ onStep, onIn, onFault }: Props) {
  const [host, setHost] = useState<string | null>(null);
  useEffect(() => {
    const goOn = async () => {
      const answer = await askAuth<NextStep | object>("oidc/step");
      if (answer.is !== "ok") onFault(wordsFor(answer));
      else if ("step" in answer.value) onStep(answer.value);
      else onIn();
    };
    fetch("/auth/oidc/about")
      .then(async (response) => {
        if (!response.ok) return;
        const about = (await response.json()) as { host: string | null; waits: boolean };
        setHost(about.host);
        if (about.waits) await goOn();
      })
      .catch(() => {});
  }, []);
  const refusal = new URLSearchParams(location.search).get("oidc");
  const to = location.pathname === "/" ? "/" : location.pathname + location.search;
  const leave = (event: MouseEvent & { currentTarget: HTMLAnchorElement }) => {
    const stay = event.currentTarget.closest("form")?.querySelector<HTMLInputElement>("input[name=stay]");
    const isStaying = stay?.checked === true;
    wantToStay(isStaying);
    event.currentTarget.href = hrefOf(to, isStaying);
  };
  return (
    <>
      {refusal !== null && (
        <p class="notice is-error" role="alert">
          {refusal === "unverified" ? t("notVerified") : refusal === "unknown" ? t("noAccount") : t("providerFailed")}
        </p>
      )}
      {host !== null && (
        <a class="button" href={hrefOf(to, false)} onClick={leave}>
          {t("signInAt", { host })}
        </a>
      )}
    </>
  );
}

function wordsFor(answer: Exclude<AuthAnswer<unknown>, { is: "ok" }>): string {
  if (answer.is === "unreachable") return t("unreachable");
  const { status, code, seconds } = answer;
  if (status === 429) return seconds > 0 ? t("throttled", { n: seconds }) : t("throttledSoon");
  return t(code === "begin-again" ? "providerLate" : "providerFailed");
}

const hrefOf = (to: string, isStaying: boolean) =>
  `/auth/oidc?${new URLSearchParams({ to, ...(isStaying && { stay: "1" }) })}`;
