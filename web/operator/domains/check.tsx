import { t } from "../../messages/operator/domains.ts";
import { Button } from "../../shared/button.tsx";
import { type Checked, get } from "../api.ts";
import { useFetched } from "../parts/fetched.ts";
import { Badge, Card, CopyButton, Fault, type State } from "../parts/page.tsx";

const badges: Record<Checked["state"], State> = { right: "good", missing: "bad", wrong: "bad", unknown: "unknown" };
const badgeOf = ({ state, needed }: Checked): State => (badges[state] === "bad" && !needed ? "warn" : badges[state]);

/** What DNS says, asked beside the rest of the page, which does not wait for it. */
export function Check({ id }: { id: string }) {
  const fetched = useFetched(async () => (await get("Domain", id, ["check"]))?.check ?? [], id, { on: "nothing" });
  const { value, isLoading } = fetched;
  const amiss = value?.filter(({ state, needed }) => state !== "right" && needed).length ?? 0;
  return (
    <Card
      title={t("check")}
      actions={
        <Button onClick={() => void fetched.again()} disabled={isLoading}>
          {t("checkAgain")}
        </Button>
      }
    >
      <Fault text={fetched.fault} />
      {value === undefined ? (
        fetched.fault === "" && (
          <p class="muted" aria-busy="true">
            {t("checking")}
          </p>
        )
      ) : (
        <div aria-busy={isLoading}>
          <p class={`check-sum is-${amiss === 0 ? "good" : "bad"}`} role="status">
            {amiss === 0 ? t("allRight") : t("amiss", { n: amiss })}
          </p>
          <p class="muted">{t("checkWhy")}</p>
          <ul class="checks">
            {value.map((one) => (
              <Line key={`${one.record} ${one.name} ${one.expected}`} checked={one} />
            ))}
          </ul>
        </div>
      )}
    </Card>
  );
}

function Line({ checked }: { checked: Checked }) {
  const { record, name, state, found, expected, advice, needed } = checked;
  return (
    <li class="check-line">
      <span class="check-state">
        <Badge state={badgeOf(checked)}>{t(state)}</Badge>
      </span>
      <div class="row-main">
        <p>
          <strong>{record}</strong> <code>{name}</code> {!needed && <span class="muted">({t("optional")})</span>}
        </p>
        {state !== "right" && (
          <>
            {found.length > 0 && (
              <p>
                <span class="muted">{t("found")}:</span> <code>{found.join(" · ")}</code>
              </p>
            )}
            {advice && !advice.startsWith("publish: ") && <p>{advice}</p>}
            {expected && (
              <p class="field-line">
                <span>
                  <span class="muted">{t("publish")}:</span> <code>{expected}</code>
                </span>
                <CopyButton text={expected} what={t("line", { record })} />
              </p>
            )}
          </>
        )}
      </div>
    </li>
  );
}
