import { messages } from "../shared/messages.ts";

/** Words of the parts that all pages share. */
export const t = messages({
  en: {
    undo: "Undo",
    dismiss: "Dismiss",
    close: "Close",
    cancel: "Cancel",
    save: "Save",
    more: "More",
    loading: "Loading…",
    needsLine: "This part needs a connection. Try again when you are online.",
    newVersion: "A new version is here. Reload the page to go on.",
    shortcuts: "Keyboard shortcuts",
    or: "or",
    andThen: "then",
    keysOff: "Single keys are off. Turn them on in the settings.",
  },
  de: {
    undo: "Rückgängig",
    dismiss: "Ausblenden",
    close: "Schließen",
    cancel: "Abbrechen",
    save: "Speichern",
    more: "Mehr",
    loading: "Wird geladen …",
    needsLine: "Dieser Teil braucht eine Verbindung. Versuchen Sie es online noch einmal.",
    newVersion: "Es gibt eine neue Version. Laden Sie die Seite neu, um fortzufahren.",
    shortcuts: "Tastenkürzel",
    or: "oder",
    andThen: "dann",
    keysOff: "Einzeltasten sind aus. In den Einstellungen lassen sie sich einschalten.",
  },
});
