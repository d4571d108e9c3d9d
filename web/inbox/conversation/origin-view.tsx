import type { ComponentChildren } from "preact";
import { t } from "../../messages/conversation.ts";
import { Icon } from "../../shared/icons.tsx";
import type { Scan } from "../kept-contents.ts";
import type { Origin } from "./origin.ts";

/** Beside the author's name: whether it is really them. */
export function OriginBadge({ origin }: { origin: Origin }) {
  const { verdict, domain } = origin;
  if (verdict !== "proved" && verdict !== "unproved" && verdict !== "unsure") return null;
  return (
    <span class={`origin-badge is-${verdict}`} title={t(`${verdict}More`, { domain })}>
      <Icon name={verdict === "proved" ? "check" : "warning"} />
      {verdict === "proved" ? t("proved", { domain }) : t(verdict)}
    </span>
  );
}

/** What each check said, for those who want to know. */
export function OriginResults({ origin: { results } }: { origin: Origin }) {
  if (results.length === 0) return null;
  return (
    <>
      <dt>{t("technical")}</dt>
      <dd>
        <ul class="origin-results">
          {results.map(({ method, result, about }) => (
            <li key={`${method} ${result} ${about}`}>
              {t("resultOf", { method: method.toUpperCase(), result })} <span class="muted">{about}</span>
            </li>
          ))}
        </ul>
      </dd>
    </>
  );
}

const kinds = ["link", "look-alike", "namesake"] as const;

function words({ kind: found, text, shown, actual }: Scan["marks"][number]): ComponentChildren {
  const kind = kinds.find((one) => one === found);
  if (kind && shown !== undefined && actual !== undefined) return t(`${kind}More`, { shown, actual });
  return (
    <>
      {t(`mark-${kind ?? "other"}`)} <q dir="auto">{text}</q>
    </>
  );
}

/** Above the mail, so that nobody misses it: it is forged, or has the signs of phishing. */
export function Warnings({ origin, scan }: { origin: Origin; scan: Scan | null | undefined }) {
  const marks = scan?.marks ?? [];
  const isForged = origin.verdict === "forged";
  if (!isForged && marks.length === 0) return null;
  return (
    <div class="notice is-error mail-warning" role="alert">
      <Icon name="warning" />
      <div>
        <strong>{isForged ? t("forged") : t("dangerous")}</strong>
        {isForged && <p>{t("forgedMore", { domain: origin.domain })}</p>}
        {marks.length > 0 && (
          <ul>
            {marks.map((mark) => (
              <li key={mark.text}>{words(mark)}</li>
            ))}
          </ul>
        )}
      </div>
    </div>
  );
}
