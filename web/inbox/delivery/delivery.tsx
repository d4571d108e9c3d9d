import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { t } from "../../messages/delivery.ts";
import { Button } from "../../shared/button.tsx";
import { longDate } from "../../shared/dates.ts";
import { Icon, type IconName } from "../../shared/icons.tsx";
import { downloadPath } from "../../shared/jmap/blobs.ts";
import type { EmailSubmission, Id } from "../../shared/jmap/types.ts";
import type { Account } from "../../shared/store/account.ts";
import { toast } from "../../shared/toasts.tsx";
import { takeBack } from "../composer/take-back.ts";
import { compose } from "../seams.ts";
import { type Recipient, reasonOf, type Summary, summaryOf } from "./summary.ts";

interface Props {
  account: Account;
  emailId: Id;
}

const firstPauseMs = 2_000;
const maxPauseMs = 60_000;

/** What became of a mail that was sent: for each recipient, with what a server said against it. Shows nothing for a mail that was not sent from here. */
export function Delivery({ account, emailId }: Props) {
  const submissions = useSignal<readonly EmailSubmission[]>([]);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let pauseMs = firstPauseMs;
    let isShown = true;
    const look = async () => {
      const found = await load(account, emailId).catch(() => undefined);
      if (!isShown) return;
      if (found) submissions.value = found;
      // Once nothing is on its way, nothing changes but by a report.
      if (!found || found.some((one) => summaryOf(one, Date.now()).isOpen)) {
        timer = setTimeout(look, pauseMs);
        pauseMs = Math.min(pauseMs * 2, maxPauseMs);
      }
    };
    void look();
    return () => {
      isShown = false;
      clearTimeout(timer);
    };
  }, [account, emailId]);
  if (submissions.value.length === 0) return null;
  return (
    <section class="delivery" aria-label={t("title")}>
      {submissions.value.map((one) => (
        <Submission key={one.id} account={account} submission={one} />
      ))}
    </section>
  );
}

async function load(account: Account, emailId: Id): Promise<EmailSubmission[]> {
  const { id: accountId, jmap } = account;
  const query = jmap.call("EmailSubmission/query", { accountId, filter: { emailIds: [emailId] } });
  const get = jmap.call("EmailSubmission/get", { accountId, "#ids": query.ref("/ids") });
  const [, { list }] = await Promise.all([query, get]);
  return list;
}

const icons: Record<Summary["state"], IconName> = {
  scheduled: "clock",
  canceled: "close",
  failed: "warning",
  queued: "send",
  handedOver: "check",
  delivered: "check",
};

function Submission({ account, submission }: { account: Account; submission: EmailSubmission }) {
  const { state, recipients, failed } = summaryOf(submission, Date.now());
  const texts: Record<Summary["state"], () => string> = {
    scheduled: () => t("scheduled", { date: longDate(submission.sendAt) }),
    canceled: () => t("canceled"),
    failed: () => t("failed", { n: failed }),
    queued: () => t("onItsWay"),
    handedOver: () => t("handedOver"),
    delivered: () => t("all"),
  };
  const line = (
    <>
      <Icon name={icons[state]} />
      <span>{texts[state]()}</span>
    </>
  );
  if (state === "scheduled" || state === "canceled") {
    return (
      <div class="delivery-line">
        {line}
        {state === "scheduled" && <Button onClick={() => void stop(account, submission)}>{t("takeBack")}</Button>}
      </div>
    );
  }
  return (
    <details class={`delivery-details is-${state}`} open={state === "failed"}>
      <summary class="delivery-line">{line}</summary>
      <ul>
        {recipients.map((recipient) => (
          <RecipientRow key={recipient.address} recipient={recipient} />
        ))}
      </ul>
      {submission.dsnBlobIds.map((blobId, at) => (
        <a
          key={blobId}
          class="link"
          href={downloadPath(account.jmap.session, account.id, {
            blobId,
            name: `report-${at + 1}.eml`,
            type: "message/rfc822",
          })}
          download
        >
          <Icon name="download" />
          {t("report")}
        </a>
      ))}
    </details>
  );
}

function RecipientRow({ recipient: { address, state, reply } }: { recipient: Recipient }) {
  const texts: Record<Recipient["state"], () => string> = {
    delivered: () => t("isDelivered"),
    read: () => t("isRead"),
    handedOver: () => t("isUnknown", { domain: address.split("@").at(-1)! }),
    queued: () => t("isQueued"),
    failed: () => t("isFailed"),
  };
  const reason = state === "failed" && reply !== undefined ? reasonOf(reply) : undefined;
  return (
    <li class={state === "failed" ? "error-text" : undefined}>
      <span>
        {address}: {texts[state]()}
      </span>
      {reason && <span>{t(reason)}</span>}
      {reply !== undefined && <span class="muted">{t("reply", { reply })}</span>}
    </li>
  );
}

async function stop(account: Account, { id, emailId }: EmailSubmission): Promise<void> {
  try {
    const isStopped = await takeBack({ account, submissionId: id, emailId });
    toast({ text: t(isStopped ? "takenBack" : "tooLate"), isError: !isStopped });
    if (isStopped) compose({ kind: "draft", accountId: account.id, emailId });
  } catch (error) {
    toast({ text: t("fault", { reason: (error as Error).message }), isError: true });
  }
}
