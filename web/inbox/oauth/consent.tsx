import { useEffect, useState } from "preact/hooks";
import { t } from "../../messages/oauth.ts";
import { Button } from "../../shared/button.tsx";
import { Icon } from "../../shared/icons.tsx";
import { begin, leave } from "../mail.ts";
import { type Asked, decide, scopeOf, whoAsks } from "./asked.ts";

type State = { is: "working" } | Awaited<ReturnType<typeof whoAsks>>;

/** Whether a program may have access (OAuth 2.0), asked of somebody who is signed in. */
export function Consent() {
  const [state, setState] = useState<State>({ is: "working" });
  const query = location.search.slice(1);

  const run = async (work: () => ReturnType<typeof whoAsks>) => {
    setState({ is: "working" });
    const answer = await work();
    if (answer.is === "signed-out") return begin();
    setState(answer);
    if (answer.is === "over") location.replace(answer.to);
  };
  const ask = () => void run(() => whoAsks(query));
  useEffect(() => {
    document.title = `${t("title")} – Posthorn`;
    ask();
  }, []);

  return (
    <main class="sign-in">
      <p class="sign-in-brand">
        <Icon name="unread" />
        Posthorn
      </p>
      <div class="card" aria-busy={state.is === "working"}>
        {state.is === "asked" && (
          <Question asked={state.asked} onDecide={(allow) => void run(() => decide(query, allow))} />
        )}
        {state.is === "working" && <p class="muted">{t("working")}</p>}
        {state.is === "wrong" && <Wrong reason={state.reason} />}
        {state.is === "unreachable" && (
          <>
            <h1>{t("asks")}</h1>
            <p class="notice is-error" role="alert">
              {t("failed")}
            </p>
            <Button isPrimary onClick={ask}>
              {t("again")}
            </Button>
          </>
        )}
        {state.is === "over" && (
          <>
            <h1>{t("done")}</h1>
            <p>{t("doneWhy")}</p>
            <a href={state.to}>{t("back")}</a>
          </>
        )}
      </div>
    </main>
  );
}

function Wrong({ reason }: { reason: string }) {
  return (
    <>
      <h1>{t("wrong")}</h1>
      <p class="notice is-error" role="alert">
        {t("wrongWhy", { reason })}
      </p>
    </>
  );
}

function Question({ asked, onDecide }: { asked: Asked; onDecide(allow: boolean): void }) {
  const { client, login, scopes, redirectUri } = asked;
  const host = hostOf(client.uri);
  const to = client.isVerified ? hostOf(redirectUri) : undefined;
  return (
    <>
      <h1>{t("asks")}</h1>
      <p class="consent-name">
        <bdi>{client.name}</bdi>
      </p>
      {!client.isVerified && (
        <p class="notice">
          <Icon name="warning" />
          <span>
            {t("unverified")} {host !== undefined && t("saysItIs", { host })}
          </span>
        </p>
      )}
      <div>
        <p>{t("may")}</p>
        <ul class="consent-list">
          {wordsOf(scopes).map((words) => (
            <li key={words}>{words}</li>
          ))}
        </ul>
      </div>
      <p>
        {t("signedInAs", { login })}{" "}
        <button type="button" class="link" onClick={() => void leave()}>
          {t("other")}
        </button>
      </p>
      <p class="muted">
        {t("noPassword")} {to === undefined ? t("goesToDevice") : t("goesTo", { host: to })}
      </p>
      <div class="consent-answers">
        <Button isPrimary onClick={() => onDecide(true)}>
          {t("allow")}
        </Button>
        <Button onClick={() => onDecide(false)}>{t("deny")}</Button>
      </div>
    </>
  );
}

/** What the scopes mean to somebody who reads mail. */
function wordsOf(scopes: readonly string[]): string[] {
  const may = (scope: string) => scopes.includes(scopeOf.all) || scopes.includes(scope);
  return [
    ...(may(scopeOf.mail) ? [t("mail")] : []),
    ...(may(scopeOf.submission) ? [t("submission")] : []),
    ...(may(scopeOf.vacation) ? [t("vacation")] : []),
    ...(scopes.includes(scopeOf.all) ? [t("identities")] : []),
  ];
}

/** The host of an address in the web; undefined for any other. */
function hostOf(uri: string): string | undefined {
  const url = URL.parse(uri);
  return url && /^https?:$/.test(url.protocol) ? url.host : undefined;
}
