/** What programs and providers call the usual folders, in English and German. */
const names: Record<string, readonly string[]> = {
  inbox: ["inbox", "posteingang"],
  sent: ["sent", "sent items", "sent mail", "sent messages", "gesendet", "gesendete elemente", "gesendete objekte"],
  drafts: ["drafts", "draft", "entwürfe", "entwurf"],
  junk: ["junk", "spam", "junk e-mail", "junk-e-mail", "junk mail", "bulk mail"],
  trash: ["trash", "deleted items", "deleted messages", "papierkorb", "gelöschte elemente", "gelöschte objekte"],
  archive: ["archive", "archives", "archiv"],
};
const roles = new Map(Object.entries(names).flatMap(([role, all]) => all.map((name) => [name, role] as const)));

/** The role that a folder at the top has by its name, where the source does not say. */
export function roleOfName(name: string): string | undefined {
  return roles.get(name.normalize("NFC").toLowerCase());
}
