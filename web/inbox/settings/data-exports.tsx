import { useEffect } from "preact/hooks";
import { t } from "../../messages/settings.ts";
import { Button, IconButton } from "../../shared/button.tsx";
import { longDate } from "../../shared/dates.ts";
import { downloadPath } from "../../shared/jmap/blobs.ts";
import type { DataExport } from "../../shared/jmap/types.ts";
import { size } from "../../shared/messages.ts";
import { primaryId, theMail } from "../mail.ts";
import { attempt, Loaded, throwRefused } from "./loaded.tsx";

export const exportCapability = "https://posthorn.example/jmap/data-export";
const askEveryMs = 2_000;

/** The login's own account: others are exported by their owners. */
const own = () => {
  const { jmap } = theMail();
  return { jmap, accountId: primaryId(jmap.session) };
};

const load = async (): Promise<DataExport[]> => {
  const { jmap, accountId } = own();
  return (await jmap.call("DataExport/get", { accountId, ids: null })).list;
};

async function change(args: { create?: Record<string, object>; destroy?: string[] }): Promise<void> {
  const { jmap, accountId } = own();
  const { notCreated, notDestroyed } = await jmap.call("DataExport/set", { accountId, ...args });
  throwRefused(notCreated, notDestroyed);
}

/** All mail as an archive, to take away. */
export function DataExports() {
  return (
    <Loaded load={load}>
      {(list, again) => {
        const isOpen = list.some(({ state }) => state === "waiting" || state === "running");
        return (
          <>
            <p class="muted">{t("exportWhy")}</p>
            <Button
              disabled={isOpen}
              onClick={() => void attempt(() => change({ create: { new: {} } }).then(again), t("exportBegun"))}
            >
              {t("exportAsk")}
            </Button>
            {isOpen && <Again again={again} />}
            <ul class="settings-rows">
              {list.toReversed().map((one) => (
                <li key={one.id}>
                  <span class="settings-row-main">
                    <strong>{t("exportOf", { date: longDate(one.createdAt) })}</strong>
                    <span class="muted" role="status">
                      {standing(one)}
                    </span>
                  </span>
                  {one.blobId !== null && (
                    <a class="button" href={pathOf(one)} download>
                      {t("download")}
                    </a>
                  )}
                  <IconButton
                    icon="trash"
                    label={`${t("remove")}: ${t("exportOf", { date: longDate(one.createdAt) })}`}
                    onClick={() => void attempt(() => change({ destroy: [one.id] }).then(again))}
                  />
                </li>
              ))}
            </ul>
          </>
        );
      }}
    </Loaded>
  );
}

/** Looks how far it is, while it is shown. */
function Again({ again }: { again(): Promise<void> }) {
  useEffect(() => {
    const timer = setInterval(() => void again(), askEveryMs);
    return () => clearInterval(timer);
  }, []);
  return null;
}

function standing({ state, failure, messagesDone, messagesTotal, size: octets, expiresAt }: DataExport): string {
  if (state === "running" && messagesTotal > 0) return t("exportRuns", { done: messagesDone, total: messagesTotal });
  if (state === "waiting" || state === "running") return t("exportWaits");
  if (state === "done") return t("exportThere", { size: size(octets), date: longDate(expiresAt!) });
  if (state === "failed") return failure === "noRoom" ? t("exportNoRoom") : t("exportFailed");
  return t("exportGone");
}

function pathOf({ blobId, createdAt }: DataExport): string {
  const { jmap, accountId } = own();
  const name = `mail-${createdAt.slice(0, 10)}.tar`;
  return downloadPath(jmap.session, accountId, { blobId: blobId!, name, type: "application/x-tar" });
}
