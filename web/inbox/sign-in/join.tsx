import { useEffect, useState } from "preact/hooks";
import { t } from "../../messages/join.ts";
import { askAuth, type NextStep } from "../../shared/auth.ts";
import { Button } from "../../shared/button.tsx";
import { Icon } from "../../shared/icons.tsx";
import type { SecondStepProps } from "../../shared/second-factor/second-step.tsx";
import { endJoining, invitationToken } from "../joining.ts";
import { lazy } from "../lazy.tsx";
import { begin } from "../mail.ts";
import { minPasswordLength, wordsFor } from "./faults.ts";

const SecondStep = lazy<SecondStepProps>(() =>
  import("../../shared/second-factor/second-step.tsx").then((found) => found.default),
);

/** Where the new account may be: `address` is what an invitation names. */
interface Place {
  domains: string[];
  address: string | null;
}

async function placeOf(token: string | undefined): Promise<Place | string> {
  if (token === undefined) {
    const offers = await askAuth<{ signUp: string[] }>("offers");
    if (offers.is !== "ok") return wordsFor(offers, "", false);
    return offers.value.signUp.length > 0 ? { domains: offers.value.signUp, address: null } : t("notOpen");
  }
  const found = await askAuth<{ domain: string; address: string | null }>("invitation", { token });
  if (found.is !== "ok") return wordsFor(found, "", true);
  return { domains: [found.value.domain], address: found.value.address };
}

/** A page for who was invited, or signs up. */
export function Join() {
  const [token] = useState(invitationToken);
  const [place, setPlace] = useState<Place | string | undefined>(undefined);
  const [next, setNext] = useState<NextStep | undefined>(undefined);
  useEffect(() => {
    document.title = `${t("title")} – Posthorn`;
    void placeOf(token).then(setPlace);
  }, []);
  const leave = () => {
    endJoining();
    void begin();
  };
  return (
    <main class="sign-in">
      <p class="sign-in-brand">
        <Icon name="unread" />
        Posthorn
      </p>
      {next ? (
        <SecondStep next={next} onDone={leave} onBack={leave} />
      ) : (
        <section class="card" aria-busy={place === undefined}>
          <h1>{t("title")}</h1>
          {typeof place === "string" && (
            <p class="notice is-error" role="alert">
              {place}
            </p>
          )}
          {typeof place === "object" && <Form place={place} token={token} onNext={setNext} onDone={leave} />}
          <div class="sign-in-more">
            <button type="button" class="link" onClick={leave}>
              {t("toSignIn")}
            </button>
          </div>
        </section>
      )}
    </main>
  );
}

interface FormProps {
  place: Place;
  token: string | undefined;
  onNext(next: NextStep): void;
  onDone(): void;
}

function Form({ place: { domains, address: fixed }, token, onNext, onDone }: FormProps) {
  const [fault, setFault] = useState("");
  const [isBusy, setBusy] = useState(false);
  const [isShown, setShown] = useState(false);
  const domain = domains[0]!;
  const submit = async (form: HTMLFormElement) => {
    const fields = new FormData(form);
    const text = (name: string) => String(fields.get(name) ?? "");
    const at = text("domain") || domain;
    const address = fixed ?? `${text("name").trim().replace(/@.*/, "")}@${at}`;
    const password = text("password");
    setBusy(true);
    const answer = await askAuth<NextStep | object>("join", { ...(token && { token }), address, password });
    setBusy(false);
    if (answer.is !== "ok") return setFault(wordsFor(answer, at, token !== undefined));
    if ("step" in answer.value) onNext(answer.value);
    else onDone();
  };
  // The types of Preact want one kind of input; a browser changes it as it goes.
  const type = (isShown ? "text" : "password") as "password";
  return (
    <form
      class="settings-form"
      onSubmit={(event) => {
        event.preventDefault();
        void submit(event.currentTarget);
      }}
    >
      {token && <p>{fixed ? t("invitedAs", { address: fixed }) : t("invited", { domain })}</p>}
      <div role="alert">{fault !== "" && <p class="notice is-error">{fault}</p>}</div>
      {fixed ? (
        <input type="text" name="username" autocomplete="username" hidden value={fixed} readOnly />
      ) : (
        <>
          <div class="join-address">
            <label class="field">
              <span>{t("address")}</span>
              <input
                class="input"
                name="name"
                autocomplete="username"
                autocapitalize="off"
                spellcheck={false}
                required
                autofocus
                aria-describedby="name-hint"
              />
            </label>
            {domains.length > 1 ? (
              <select class="input" name="domain" aria-label="@">
                {domains.map((one) => (
                  <option key={one} value={one}>
                    @{one}
                  </option>
                ))}
              </select>
            ) : (
              <span>@{domain}</span>
            )}
          </div>
          <p id="name-hint" class="muted">
            {t("addressHint")}
          </p>
        </>
      )}
      <label class="field">
        <span>{t("password")}</span>
        <input
          class="input"
          type={type}
          name="password"
          autocomplete="new-password"
          required
          aria-describedby="password-hint"
        />
      </label>
      <p id="password-hint" class="muted">
        {t("passwordHint", { n: minPasswordLength })}
      </p>
      <label class="check">
        <input type="checkbox" checked={isShown} onChange={(event) => setShown(event.currentTarget.checked)} />
        {t("showPassword")}
      </label>
      <Button isPrimary submits disabled={isBusy}>
        {t(isBusy ? "creating" : "create")}
      </Button>
    </form>
  );
}
