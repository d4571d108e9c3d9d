import { styleText } from "node:util";

const styles = { good: "green", bad: "red", doubtful: "yellow", faint: "dim", strong: "bold" } as const;
export type Style = keyof typeof styles;

/** Colours what is printed, if the stream is a terminal and NO_COLOR is not set (FORCE_COLOR overrides both). */
export function paint(style: Style, text: string, stream: NodeJS.WriteStream = process.stdout): string {
  return styleText(styles[style], text, { stream });
}
