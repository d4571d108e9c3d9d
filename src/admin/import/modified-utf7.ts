/** RFC 3501 §5.1.3: the name of a mailbox in modified UTF-7; a text that is none stays as it is. */
export function decodeMailboxName(name: string): string {
  if (!name.includes("&") || !/^[\x20-\x7e]*$/.test(name)) return name;
  let isRight = true;
  const decoded = name.replace(/&([^-]*)(-?)/g, (whole, encoded: string, end: string) => {
    if (encoded === "" && end === "-") return "&";
    const bytes = Buffer.from(encoded.replaceAll(",", "/"), "base64");
    if (end !== "-" || bytes.length === 0 || bytes.length % 2 !== 0 || !/^[A-Za-z0-9+,]+$/.test(encoded)) {
      isRight = false;
      return whole;
    }
    return Buffer.from(bytes).swap16().toString("utf16le");
  });
  return isRight && decoded.isWellFormed() ? decoded : name;
}
