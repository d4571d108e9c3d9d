import { useEffect, useState } from "preact/hooks";
import { t } from "../../messages/sign-in.ts";

/** Signing in at the operator's identity provider, if there is one. */
export function Provider() {
  const [host, setHost] = useState<string | null>(null);
  useEffect(() => {
    fetch("/auth/oidc/about")
      .then(async (response) => response.ok && setHost(((await response.json()) as { host: string | null }).host))
      .catch(() => {});
  }, []);
  const refusal = new URLSearchParams(location.search).get("oidc");
  const to = location.pathname === "/" ? "" : `?to=${encodeURIComponent(location.pathname + location.search)}`;
  return (
    <>
      {refusal !== null && (
        <p class="notice is-error" role="alert">
          {refusal === "unverified" ? t("notVerified") : refusal === "unknown" ? t("noAccount") : t("providerFailed")}
        </p>
      )}
      {host !== null && (
        <a class="button" href={`/auth/oidc${to}`}>
          {t("signInAt", { host })}
        </a>
      )}
    </>
  );
}
