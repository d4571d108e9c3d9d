import { messages } from "../shared/messages.ts";

/** Words of what was deleted lately. */
export const t = messages({
  en: {
    title: "Recently deleted",
    kept: {
      one: "What was deleted for good can be had back for a day. Nobody else sees it.",
      other: "What was deleted for good can be had back for {n} days. Nobody else sees it.",
    },
    none: "Nothing was deleted lately.",
    about: "From {from}, deleted {date}",
    restore: "Restore",
    restoreOf: "Restore {subject}",
    restoreAll: "Restore all of these",
    more: "Show more",
    restored: { one: "It is back where it was: {places}", other: "{n} messages are back where they were: {places}" },
    gone: "It is back already, or its time is over.",
    noRoom: "There is no room left for it.",
    noSubject: "(no subject)",
    nobody: "nobody",
    failed: "That failed: {reason}",
  },
  de: {
    title: "Kürzlich gelöscht",
    kept: {
      one: "Endgültig Gelöschtes lässt sich einen Tag lang zurückholen. Niemand sonst sieht es.",
      other: "Endgültig Gelöschtes lässt sich {n} Tage lang zurückholen. Niemand sonst sieht es.",
    },
    none: "In letzter Zeit wurde nichts gelöscht.",
    about: "Von {from}, gelöscht: {date}",
    restore: "Zurückholen",
    restoreOf: "{subject} zurückholen",
    restoreAll: "Alle hier zurückholen",
    more: "Mehr zeigen",
    restored: {
      one: "Sie ist wieder, wo sie war: {places}",
      other: "{n} Nachrichten sind wieder, wo sie waren: {places}",
    },
    gone: "Sie ist schon zurück, oder die Frist ist vorbei.",
    noRoom: "Dafür ist kein Platz mehr.",
    noSubject: "(kein Betreff)",
    nobody: "niemandem",
    failed: "Das ist fehlgeschlagen: {reason}",
  },
});
