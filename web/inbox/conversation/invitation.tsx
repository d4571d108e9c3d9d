import { useEffect, useState } from "preact/hooks";
import { t } from "../../messages/conversation.ts";
import { Icon } from "../../shared/icons.tsx";
import { downloadPath } from "../../shared/jmap/blobs.ts";
import type { EmailBodyPart } from "../../shared/jmap/types.ts";
import { locale } from "../../shared/messages.ts";
import type { Account } from "../../shared/store/account.ts";
import { type CalendarEvent, type Person, readCalendar } from "./calendar.ts";
import { repetitionOf, whenOf } from "./calendar-words.ts";

const maxSize = 500_000;

/** What an invitation says: what, when, where, who. */
export function Invitation({ account, part }: { account: Account; part: EmailBodyPart }) {
  const [event, setEvent] = useState<CalendarEvent | "unreadable" | undefined>(undefined);
  const { blobId } = part;
  useEffect(() => {
    const stop = new AbortController();
    if (blobId === null || part.size > maxSize) setEvent("unreadable");
    else {
      fetch(downloadPath(account.jmap.session, account.id, { blobId, name: "calendar.ics", type: "text/plain" }), stop)
        .then(async (response) => {
          if (!response.ok) throw new Error(response.statusText);
          setEvent(readCalendar(new TextDecoder().decode(await response.arrayBuffer())) ?? "unreadable");
        })
        .catch(() => stop.signal.aborted || setEvent("unreadable"));
    }
    return () => stop.abort();
  }, [blobId]);
  if (event === undefined) return null;
  if (event === "unreadable") return <p class="muted">{t("unreadableCalendar")}</p>;
  return <InvitationCard event={event} />;
}

export function InvitationCard({ event }: { event: CalendarEvent }) {
  const { summary, location, description, organizer, attendees, attendeeCount, rule, isCancelled } = event;
  return (
    <section class={`invitation ${isCancelled ? "is-cancelled" : ""}`} aria-label={titleOf(event)}>
      <p class="invitation-kind">
        <Icon name="clock" />
        {titleOf(event)}
      </p>
      <h2 dir="auto">{summary || t("noSubject")}</h2>
      <dl class="facts">
        <Fact name={t("when")} value={whenOf(event, locale.value)} />
        {rule !== "" && <Fact name={t("repeats")} value={repeated(rule)} />}
        <Fact name={t("where")} value={location} />
        {organizer && <Fact name={t("organizer")} value={nameOf(organizer)} />}
        {attendees.length > 0 && (
          <>
            <dt>{t("invited")}</dt>
            <dd>
              <ul class="invited">
                {attendees.map((person, index) => (
                  <li key={index} dir="auto">
                    {nameOf(person)} <span class="muted">{answerOf(person)}</span>
                  </li>
                ))}
                {attendeeCount > attendees.length && <li>{t("andMore", { n: attendeeCount - attendees.length })}</li>}
              </ul>
            </dd>
          </>
        )}
      </dl>
      {description !== "" && (
        <p class="invitation-text" dir="auto">
          {description}
        </p>
      )}
    </section>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  if (value === "") return null;
  return (
    <>
      <dt>{name}</dt>
      <dd dir="auto">{value}</dd>
    </>
  );
}

function titleOf({ method, isCancelled }: CalendarEvent): string {
  if (isCancelled) return t("cancelled");
  if (method === "REPLY" || method === "COUNTER") return t("answered");
  return method === "REQUEST" ? t("invitation") : t("updated");
}

function repeated(rule: string): string {
  const repetition = repetitionOf(rule);
  return repetition ? t(`every${repetition.every}`, { n: repetition.interval }) : t("regularly");
}

const nameOf = ({ name, email }: Person) => (name && name !== email ? `${name} (${email})` : email);

function answerOf({ answer }: Person): string {
  return answer === "accepted" || answer === "declined" || answer === "tentative" ? t(answer) : "";
}
