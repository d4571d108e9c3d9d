import { useSignal } from "@preact/signals";
import { t } from "../../messages/operator/domain-acts.ts";
import { Button } from "../../shared/button.tsx";
import { get, type Rotation, update } from "../api.ts";
import { Confirm } from "../parts/confirm.tsx";
import { useFetched } from "../parts/fetched.ts";
import { Badge, Card, Changing, CopyButton, Shown } from "../parts/page.tsx";
import { exact } from "../parts/times.ts";
import { isForAll } from "../session.ts";

const words = { begin: "stepBegin", publish: "stepPublish", switch: "stepSwitch", wait: "stepWait" } as const;

/** The keys of DKIM, and their replacement step by step. */
export function Keys({ id }: { id: string }) {
  const fetched = useFetched(async () => (await get("Domain", id, ["rotation"]))?.rotation, `keys ${id}`);
  const open = useSignal(false);
  const close = (isDone: boolean) => {
    open.value = false;
    if (isDone) void fetched.again();
  };
  return (
    <Card title={t("keys")}>
      <Shown fetched={fetched}>
        {(rotation) =>
          rotation && (
            <>
              <p class="muted">{t(words[rotation.step], { time: rotation.until ? exact(rotation.until) : "" })}</p>
              <Fresh list={rotation.fresh} />
              {rotation.retired.length > 0 && (
                <p>
                  {t(rotation.step === "begin" ? "mayGo" : "retired")} <code>{rotation.retired.join(", ")}</code>
                </p>
              )}
              {isForAll.value && (
                <Changing>
                  <span class="acts">
                    {rotation.step === "publish" && (
                      <Button onClick={() => void fetched.again()} disabled={fetched.isLoading}>
                        {t("askAgain")}
                      </Button>
                    )}
                    {(rotation.step === "begin" || rotation.step === "switch") && (
                      <Button onClick={() => (open.value = true)}>{t(rotation.step)}</Button>
                    )}
                  </span>
                </Changing>
              )}
              {open.value && (rotation.step === "begin" || rotation.step === "switch") && (
                <Confirm
                  title={t(rotation.step)}
                  act={t(rotation.step)}
                  done={t(rotation.step === "begin" ? "begun" : "switched")}
                  work={() => update("Domain", id, { rotation: "go-on" })}
                  onClose={close}
                >
                  <p>{t(rotation.step === "begin" ? "beginWhy" : "switchWhy")}</p>
                  {rotation.step === "begin" && rotation.retired.length > 0 && (
                    <p>
                      {t("forgets")} <code>{rotation.retired.join(", ")}</code>
                    </p>
                  )}
                </Confirm>
              )}
            </>
          )
        }
      </Shown>
    </Card>
  );
}

function Fresh({ list }: { list: Rotation["fresh"] }) {
  if (list.length === 0) return null;
  return (
    <ul class="checks">
      {list.map(({ name, value, isPublished }) => (
        <li key={name} class="check-line">
          <span class="check-state">
            <Badge state={isPublished ? "good" : "warn"}>{t(isPublished ? "inDns" : "notInDns")}</Badge>
          </span>
          <div class="row-main">
            <p>
              <code>{name}</code> TXT
            </p>
            <p class="field-line">
              <code>{value}</code>
              <CopyButton text={value} what={name} />
            </p>
          </div>
        </li>
      ))}
    </ul>
  );
}
