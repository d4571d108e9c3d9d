/** Encodes as the program `uuencode` does; `blank` is the character for six zero bits. */
export function uuencode(bytes: Buffer, blank = "`"): string {
  const char = (value: number) => (value === 0 ? blank : String.fromCharCode(value + 0x20));
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += 45) {
    const line = bytes.subarray(at, at + 45);
    let text = char(line.length);
    for (let from = 0; from < line.length; from += 3) {
      const [a, b, c] = [line[from]!, line[from + 1] ?? 0, line[from + 2] ?? 0];
      text += [a >> 2, ((a << 4) | (b >> 4)) & 63, ((b << 2) | (c >> 6)) & 63, c & 63].map(char).join("");
    }
    lines.push(text);
  }
  return `begin 644 a file.bin\r\n${[...lines, blank, "end"].join("\r\n")}\r\n`;
}
