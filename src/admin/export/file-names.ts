import type { FiledIn } from "./mails.ts";

const maxBytes = 200;

/**
 * A file name for each mailbox, with folders for its parents: what a file system may not take is percent-encoded, and of names that
 * are the same but for case, the later ones get a number.
 */
export function fileNames(mailboxes: readonly FiledIn[]): Map<string, string> {
  const taken = new Set<string>();
  return new Map(
    mailboxes.map(({ id, path }) => {
      const name = path.map(safe).join("/");
      let chosen = name;
      for (let n = 2; taken.has(chosen.toLowerCase()); n++) chosen = `${name}~${n}`;
      taken.add(chosen.toLowerCase());
      return [id, chosen];
    }),
  );
}

function safe(name: string): string {
  const encoded = name
    .normalize("NFC")
    .replace(/[\x00-\x1f\x7f/\\:*?"<>|%]/g, (char) => encodeURIComponent(char).replace("*", "%2A"))
    .replace(/^\.|[. ]$/g, (char) => (char === "." ? "%2E" : "%20"));
  let short = encoded;
  while (Buffer.byteLength(short) > maxBytes) short = [...short].slice(0, -1).join("");
  return short;
}
