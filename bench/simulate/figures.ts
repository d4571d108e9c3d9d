const steps: [number, string][] = [
  [1e15, "P"],
  [1e12, "T"],
  [1e9, "G"],
  [1e6, "M"],
  [1e3, "k"],
];

/** Three digits: 1,234 is 1.23k; small numbers keep their decimals. */
export function short(value: number, unit = ""): string {
  const [size, letter] = steps.find(([step]) => Math.abs(value) >= step * 0.9995) ?? [1, ""];
  const text = digits(value / size);
  return unit || letter ? `${text} ${letter}${unit}`.trimEnd() : text;
}

export function digits(value: number): string {
  if (value === 0 || Number.isInteger(value)) return String(value);
  return String(Number(value.toPrecision(3)));
}

export const dollars = (value: number): string =>
  value >= 1e6 ? `$${digits(value / 1e6)} M` : value >= 1000 ? `$${whole(Math.round(value))}` : `$${value.toFixed(2)}`;

/** With commas between thousands. */
export const whole = (value: number): string => String(Math.round(value)).replace(/\B(?=(\d{3})+(?!\d))/g, ",");

export const percent = (part: number): string => `${digits(part * 100)}%`;

export function duration(seconds: number): string {
  if (seconds < 1) return `${digits(seconds * 1000)} ms`;
  if (seconds < 59.95) return `${digits(seconds)} s`;
  if (seconds < 3597) return `${digits(seconds / 60)} min`;
  return `${digits(seconds / 3600)} h`;
}

const days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/** A time of the simulation, which begins on a Monday at 0:00 UTC. */
export function clock(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  const two = (value: number): string => String(value).padStart(2, "0");
  const day = Math.floor(minutes / 1440);
  const week = day >= 7 ? ` of week ${Math.floor(day / 7) + 1}` : "";
  return `${days[day % 7]}${week} ${two(Math.floor(minutes / 60) % 24)}:${two(minutes % 60)}`;
}

/** A table in Markdown; all columns but the first are aligned to the right. */
export function table(head: string[], rows: string[][], align?: string): string {
  const line = (cells: string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), align ?? line(head.map((_, at) => (at === 0 ? "---" : "--:"))), ...rows.map(line)].join("\n");
}
