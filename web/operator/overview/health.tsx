import { t } from "../../messages/operator/overview.ts";
import { number, size } from "../../shared/messages.ts";
import { OwnIcon } from "../parts/icon.tsx";
import { href } from "../route.ts";
import type { Finding } from "./types.ts";

/** A finding in words: what is, and what mends it. */
interface Words {
  text: string;
  fix?: string | undefined;
  link?: string;
}

const order = { bad: 0, warn: 1, good: 2 } as const;

export function Health({ findings }: { findings: readonly Finding[] }) {
  const sorted = findings.toSorted((one, other) => order[one.state] - order[other.state]);
  const amiss = sorted.filter(({ state }) => state !== "good");
  const state = amiss[0]?.state ?? "good";
  const n = amiss.filter((one) => one.state === state).length;
  return (
    <section class={`panel health is-${state}`} aria-live="polite">
      <header class="health-head">
        <OwnIcon name={state} />
        <div>
          <h2>{state === "good" ? t("allGood") : t(state === "bad" ? "someBad" : "someWarn", { n })}</h2>
          {state === "good" && <p>{t("allGoodWhy")}</p>}
        </div>
      </header>
      <Findings findings={sorted} />
    </section>
  );
}

export function Findings({ findings }: { findings: readonly Finding[] }) {
  return (
    <ul class="findings">
      {findings.map((finding) => (
        <Line key={`${finding.code} ${finding.values.part ?? finding.values.domain ?? ""}`} finding={finding} />
      ))}
    </ul>
  );
}

function Line({ finding }: { finding: Finding }) {
  const words = wordsOf(finding);
  if (!words) return null;
  const { text, fix, link } = words;
  return (
    <li class={`finding is-${finding.state}`}>
      <OwnIcon name={finding.state} />
      <div>
        <p>{text}</p>
        {fix && <p class="muted">{fix}</p>}
      </div>
      {link && (
        <a class="finding-link" href={link}>
          {t("show")}
        </a>
      )}
    </li>
  );
}

function wordsOf({ code, values }: Finding): Words | undefined {
  const n = Number(values.n ?? 0);
  const minutes = number(Number(values.minutes ?? 0));
  const queue = (filter: Record<string, string> = {}) => href({ place: "queue", filter });
  switch (code) {
    case "ready":
      return { text: t("ready") };
    case "part":
      return { text: t("part", { part: values.part ?? "", reason: values.reason ?? "" }), fix: t("partFix") };
    case "nodes": {
      const away = Number(values.away);
      if (away === 0) return { text: t("nodesGood", { n }) };
      return { text: t("nodesBad", { away, n }), fix: t("nodesFix") };
    }
    case "disk": {
      const free = size(Number(values.free));
      const percent = Number(values.percent);
      if (percent >= 10) return { text: t("diskGood", { free }) };
      return { text: t("diskWarn", { free, percent }), fix: t("diskFix") };
    }
    case "certificate":
      return { text: t("certificate", { n: Number(values.days) }) };
    case "certificateOwn":
      return { text: t("certificateOwn"), fix: t("certificateOwnFix") };
    case "certificateEnds": {
      const days = Number(values.days);
      return {
        text: days < 0 ? t("certificateOver") : t("certificateEnds", { n: days }),
        fix: t("certificateEndsFix"),
      };
    }
    case "setAside":
      return { text: t("setAside", { n }), fix: t("setAsideFix") };
    case "incomingLate":
      return { text: t("incomingLate", { n, minutes }), fix: t("incomingLateFix") };
    case "queueLate":
      return { text: t("queueLate", { n, minutes }), fix: t("queueLateFix"), link: queue() };
    case "destinationAway": {
      const domain = String(values.domain);
      const reply = String(values.reply ?? "");
      const fix = reply === "" ? t("destinationAwaySilent") : t("destinationAwayFix", { reply });
      return { text: t("destinationAway", { n, domain }), fix, link: queue({ domain }) };
    }
    case "waitsLong":
      return { text: t("waitsLong", { n }), fix: t("waitsLongFix"), link: queue({ minAge: "86400" }) };
    case "held":
      return { text: t("held", { n }), fix: t("heldFix"), link: queue({ state: "held" }) };
    case "virus":
      return { text: t("virus", { n }), fix: t("virusFix"), link: href({ place: "quarantine" }) };
    case "complaints":
      return { text: t("complaints", { n }), fix: t("complaintsFix"), link: href({ place: "senders" }) };
    default:
      return undefined;
  }
}
