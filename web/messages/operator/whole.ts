import { messages } from "../../shared/messages.ts";

/** What is done to all that a list is narrowed to. */
export const t = messages({
  en: {
    open: "All of these…",
    what: "What is done to them",
    count: "Count them",
    counting: { one: "{n} so far…", other: "{n} so far…" },
    none: "There is nothing that this could be done to.",
    left: {
      one: "One more stays as it is: it is being worked on, or is not yours alone.",
      other: "{n} more stay as they are: they are being worked on, or are not yours alone.",
    },
    changing: "Counted just now. What comes meanwhile, and fits, is taken along.",
    noMore: "Counted just now. No more than so many are changed, whatever comes meanwhile.",
    type: "Type {number} to confirm",
    stop: "Stop here",
    running: "{done} of {all} done",
    finished: { one: "One was changed.", other: "{n} were changed." },
    brokenOff: {
      one: "It broke off: one was changed, perhaps more.",
      other: "It broke off: {n} were changed, perhaps more.",
    },
    close: "Close",
    mails: { one: "1 recipient", other: "{n} recipients" },
    infected: { one: "1 infected mail", other: "{n} infected mails" },
    addresses: { one: "1 address", other: "{n} addresses" },
  },
  de: {
    open: "Mit allen …",
    what: "Was mit ihnen geschieht",
    count: "Zählen",
    counting: { one: "{n} bisher …", other: "{n} bisher …" },
    none: "Es gibt nichts, womit das geschehen könnte.",
    left: {
      one: "Eines bleibt, wie es ist: Daran wird gerade gearbeitet, oder es gehört nicht Ihnen allein.",
      other: "{n} weitere bleiben, wie sie sind: Daran wird gerade gearbeitet, oder sie gehören nicht Ihnen allein.",
    },
    changing: "Eben gezählt. Was inzwischen dazukommt und passt, wird mitgenommen.",
    noMore: "Eben gezählt. Mehr werden nicht geändert, was auch inzwischen dazukommt.",
    type: "Zur Bestätigung {number} eingeben",
    stop: "Hier aufhören",
    running: "{done} von {all} erledigt",
    finished: { one: "Eines wurde geändert.", other: "{n} wurden geändert." },
    brokenOff: {
      one: "Es brach ab: Eines wurde geändert, vielleicht auch mehr.",
      other: "Es brach ab: {n} wurden geändert, vielleicht auch mehr.",
    },
    close: "Schließen",
    mails: { one: "1 Empfänger", other: "{n} Empfänger" },
    infected: { one: "1 verseuchte Mail", other: "{n} verseuchte Mails" },
    addresses: { one: "1 Adresse", other: "{n} Adressen" },
  },
});
