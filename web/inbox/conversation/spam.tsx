import { t } from "../../messages/conversation.ts";
import { Dialog } from "../../shared/dialog.tsx";
import { number } from "../../shared/messages.ts";
import type { Scan } from "../kept-contents.ts";

/** Why a mail was taken for spam, or was not. */
export function SpamReasons({ scan, onClose }: { scan: Scan; onClose(): void }) {
  const reasons = scan.reasons.toSorted((a, b) => Math.abs(b.points) - Math.abs(a.points));
  return (
    <Dialog title={t("spamScore", { score: scan.score })} onClose={onClose}>
      <p class="muted">{t("spamScoreMore")}</p>
      {reasons.length === 0 ? (
        <p>{t("noReasons")}</p>
      ) : (
        <table class="reasons">
          <thead>
            <tr>
              <th scope="col">{t("points")}</th>
              <th scope="col">{t("reason")}</th>
            </tr>
          </thead>
          <tbody>
            {reasons.map(({ rule, points, reason }) => (
              <tr key={rule}>
                <td class={points > 0 ? "is-bad" : "is-good"}>{`${points > 0 ? "+" : ""}${number(points)}`}</td>
                <td dir="auto" title={rule}>
                  {reason || rule}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <p class="muted">{t("judgedBy", { by: scan.by })}</p>
    </Dialog>
  );
}
