import { messages } from "../shared/messages.ts";

/** Words of what is to leave later. */
export const t = messages({
  en: {
    title: "Scheduled",
    count: { one: "{n} to leave later", other: "{n} to leave later" },
    leaves: "Leaves {date}",
    to: "To {people}",
    stop: "Cancel and edit",
    stopped: "It does not leave. It is a draft again.",
    tooLate: "It has left already.",
    none: "Nothing waits for its time.",
    noSubject: "(no subject)",
    failed: "That failed: {reason}",
  },
  de: {
    title: "Geplant",
    count: { one: "{n} wird später gesendet", other: "{n} werden später gesendet" },
    leaves: "Geht ab: {date}",
    to: "An {people}",
    stop: "Abbrechen und bearbeiten",
    stopped: "Sie wird nicht gesendet und ist wieder ein Entwurf.",
    tooLate: "Sie ist schon abgegangen.",
    none: "Nichts wartet auf seine Zeit.",
    noSubject: "(kein Betreff)",
    failed: "Das ist fehlgeschlagen: {reason}",
  },
});
