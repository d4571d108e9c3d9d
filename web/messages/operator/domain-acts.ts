import { messages } from "../../shared/messages.ts";

/** What is done to a domain: its keys, and its policy. */
export const t = messages({
  en: {
    keys: "Keys that sign its mail (DKIM)",
    stepBegin:
      "The present keys sign. They can be replaced, step by step, without mail that fails: new ones are made first.",
    stepPublish: "New keys are made, and sign nothing before DNS has them. Publish these records beside the old ones.",
    stepSwitch: "DNS has the new keys. They can begin to sign.",
    stepWait: "The keys were replaced. Until {time} the old ones must stay in DNS, for mail that is on its way.",
    retired: "Sign no more:",
    mayGo: "Sign no more, and may leave DNS now:",
    forgets: "These old keys are forgotten. Take their records out of DNS:",
    begin: "Make new keys",
    beginWhy: "One RSA and one Ed25519 key. Nothing else changes before you have published them.",
    begun: "The new keys are there: publish their records.",
    switch: "Let the new keys sign",
    switchWhy: "All mail is signed by the new keys from then on. Leave the old records in DNS for two weeks.",
    switched: "The new keys sign from now on.",
    askAgain: "Ask DNS again",
    inDns: "in DNS",
    notInDns: "not in DNS yet",
    sts: "Verified TLS from others (MTA-STS)",
    stsWhy:
      "Tells other servers to send mail for this domain by TLS that they can verify alone. The policy is served by HTTPS at mta-sts.<domain>.",
    setSts: "Set the policy",
    mode: "What others do when TLS cannot be verified",
    off: "No policy",
    testing: "Testing: they send all the same, and report it",
    enforce: "Enforce: they keep the mail back",
    none: "None: an earlier policy ends",
    mx: "Hosts that take its mail",
    modesWhy:
      "Begin with testing, and read the reports. Before a policy is taken away, let “none” be published for a day.",
    save: "Save",
    saved: "The policy is published. Its id in DNS has changed: publish the record.",
    takenAway: "No policy is published now. Take the records of an earlier one out of DNS.",
  },
  de: {
    keys: "Schlüssel, die ihre Mail signieren (DKIM)",
    stepBegin:
      "Die jetzigen Schlüssel signieren. Sie lassen sich Schritt für Schritt ersetzen, ohne dass Mail durchfällt: Zuerst entstehen neue.",
    stepPublish:
      "Neue Schlüssel sind da und signieren nichts, bevor das DNS sie hat. Veröffentlichen Sie diese Einträge neben den alten.",
    stepSwitch: "Das DNS hat die neuen Schlüssel. Sie können beginnen zu signieren.",
    stepWait:
      "Die Schlüssel wurden ersetzt. Bis {time} müssen die alten im DNS bleiben, für Mail, die noch unterwegs ist.",
    retired: "Signieren nicht mehr:",
    mayGo: "Signieren nicht mehr und können jetzt aus dem DNS:",
    forgets: "Diese alten Schlüssel werden vergessen. Nehmen Sie ihre Einträge aus dem DNS:",
    begin: "Neue Schlüssel anlegen",
    beginWhy: "Einen für RSA und einen für Ed25519. Sonst ändert sich nichts, bis Sie sie veröffentlicht haben.",
    begun: "Die neuen Schlüssel sind da: Veröffentlichen Sie ihre Einträge.",
    switch: "Neue Schlüssel signieren lassen",
    switchWhy:
      "Ab dann wird alle Mail mit den neuen Schlüsseln signiert. Lassen Sie die alten Einträge noch zwei Wochen im DNS.",
    switched: "Ab jetzt signieren die neuen Schlüssel.",
    askAgain: "DNS noch einmal fragen",
    inDns: "im DNS",
    notInDns: "noch nicht im DNS",
    sts: "Geprüftes TLS von anderen (MTA-STS)",
    stsWhy:
      "Sagt anderen Servern, dass sie Mail für diese Domain nur über TLS senden, das sie prüfen können. Die Regel steht per HTTPS unter mta-sts.<Domain>.",
    setSts: "Regel festlegen",
    mode: "Was andere tun, wenn TLS nicht zu prüfen ist",
    off: "Keine Regel",
    testing: "Erproben: Sie senden trotzdem und berichten es",
    enforce: "Durchsetzen: Sie halten die Mail zurück",
    none: "Keine: Eine frühere Regel endet",
    mx: "Rechner, die ihre Mail annehmen",
    modesWhy:
      "Beginnen Sie mit dem Erproben und lesen Sie die Berichte. Bevor eine Regel wegfällt, lassen Sie einen Tag lang „Keine“ stehen.",
    save: "Speichern",
    saved: "Die Regel ist veröffentlicht. Ihre Kennung im DNS ist eine andere: Veröffentlichen Sie den Eintrag.",
    takenAway: "Jetzt ist keine Regel veröffentlicht. Nehmen Sie die Einträge einer früheren aus dem DNS.",
  },
});
