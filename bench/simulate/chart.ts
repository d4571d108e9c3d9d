import { titles } from "./faults.ts";
import { duration, short, whole } from "./figures.ts";
import { binSeconds } from "./ledger.ts";
import type { Result } from "./simulate.ts";

const [width, left, right] = [960, 70, 16];
const panelHeight = 150;
const daySeconds = 86_400;
const days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
/** Readable on white, and apart for people who don't see red from green. */
const colours = ["#0072b2", "#e69f00", "#009e73", "#cc79a7"];

type Series = { name: string; colour: string; values: number[] };
type Panel = {
  title: string;
  series: Series[];
  from: number;
  to: number;
  isLogarithmic: boolean;
  marks: number[];
  show: (value: number) => string;
};

const round = (value: number): string => String(Math.round(value * 10) / 10);

/** Three panels over the same time: mail that arrives, mail that waits, how long delivery takes; the faults are marked in all. */
export function chart(result: Result): string {
  const { ledger, faults, sites, options } = result;
  const seconds = options.days * daySeconds;
  const x = (at: number): number => left + ((width - left - right) * at) / seconds;
  const arrivals = sites.map(({ region }, at) => ({
    name: region.name,
    colour: colours[at]!,
    values: ledger.bins.map(({ offered }) => (offered[at] ?? 0) / binSeconds),
  }));
  const panels: Panel[] = [
    linear("mails a second offered to a cell of each region", arrivals),
    logarithmic(
      "mails that wait (most in a quarter of an hour)",
      [
        { name: "accepted, not delivered", colour: colours[0]!, values: ledger.bins.map(({ queued }) => queued) },
        { name: "refused, with their senders", colour: colours[1]!, values: ledger.bins.map(({ refused }) => refused) },
        { name: "between regions", colour: colours[2]!, values: ledger.bins.map(({ between }) => between) },
      ],
      Array.from({ length: 10 }, (_, n) => 10 ** n),
      short,
    ),
    logarithmic(
      "from the first offer to the inbox",
      [
        { name: "p50", colour: colours[0]!, values: ledger.bins.map(({ delays }) => delays.quantile(0.5)) },
        { name: "p99", colour: colours[2]!, values: ledger.bins.map(({ delays }) => delays.quantile(0.99)) },
        { name: "longest", colour: colours[1]!, values: ledger.bins.map(({ delays }) => delays.longest) },
      ],
      [0.01, 0.1, 1, 10, 60, 600, 3600, 36_000, 360_000],
      duration,
    ),
  ];
  const top = 76 + 16 * Math.ceil(faults.length / 3);
  const height = top + panels.length * (panelHeight + 56);
  const body = panels.map((panel, at) => drawPanel(panel, top + 30 + at * (panelHeight + 56), x));
  const bands = faults.map(({ at, endedAt = seconds }, index) => {
    const wide = Math.max(1.5, x(endedAt) - x(at));
    return (
      `<rect x="${round(x(at))}" y="${top}" width="${round(wide)}" height="${height - top - 30}" fill="#d55e00" fill-opacity="${wide > 40 ? 0.07 : 0.35}"/>` +
      `<text x="${round(x(at))}" y="${top - 3 - 13 * (index % 3)}" text-anchor="middle" fill="#a34700">${index + 1}</text>`
    );
  });
  const legend = faults.map(
    ({ kind, site }, at) =>
      `<text x="${left + (at % 3) * 290}" y="${38 + 16 * Math.floor(at / 3)}" fill="#a34700">${at + 1} ${titles[kind]}, ${sites[site]!.region.name}</text>`,
  );
  const dayNames = Array.from({ length: options.days }, (_, day) =>
    options.days <= 14 || day % 7 === 0
      ? `<text x="${round((x(day * daySeconds) + x((day + 1) * daySeconds)) / 2)}" y="${height - 8}" text-anchor="middle">${days[day % 7]}</text>`
      : "",
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" font-family="sans-serif" font-size="12" fill="#333">
<title>Mail that arrives, mail that waits and how long delivery takes, with the faults marked</title>
<rect width="${width}" height="${height}" fill="#fff"/>
<text x="${left}" y="18" font-size="14">${whole(options.users)} users: one cell of each region for ${options.days} days (UTC), seed ${options.seed}</text>
${[...legend, ...bands, ...body, ...dayNames.filter(Boolean)].join("\n")}
</svg>
`;
}

function linear(title: string, series: Series[]): Panel {
  const highest = Math.max(...series.flatMap(({ values }) => values), 1e-9);
  const step = 10 ** Math.floor(Math.log10(highest)) / 2;
  const to = Math.ceil(highest / step) * step;
  return { title, series, from: 0, to, isLogarithmic: false, marks: [0, to / 2, to], show: short };
}

function logarithmic(title: string, series: Series[], all: number[], show: Panel["show"]): Panel {
  const highest = Math.max(...series.flatMap(({ values }) => values.filter(Number.isFinite)), all[1]!);
  const marks = all.slice(0, all.findIndex((mark) => mark >= highest) + 1);
  return { title, series, from: marks[0]!, to: marks.at(-1)!, isLogarithmic: true, marks, show };
}

function drawPanel(
  { title, series, from, to, isLogarithmic, marks, show }: Panel,
  top: number,
  x: (at: number) => number,
): string {
  const part = (value: number): number =>
    isLogarithmic ? Math.log(Math.max(value, from) / from) / Math.log(to / from) : (value - from) / (to - from);
  const y = (value: number): number => top + panelHeight * (1 - part(value));
  const grid = marks.map(
    (value) =>
      `<line x1="${left}" x2="${width - right}" y1="${round(y(value))}" y2="${round(y(value))}" stroke="#ddd"/>` +
      `<text x="${left - 6}" y="${round(y(value) + 4)}" text-anchor="end">${show(value)}</text>`,
  );
  const names = series.map(
    ({ name, colour }, at) =>
      `<text x="${width - right - 170 * (series.length - at - 1)}" y="${top - 8}" text-anchor="end" fill="${colour}">${name}</text>`,
  );
  const lines = series.map(({ colour, values }) => {
    const points = values.flatMap((value, bin) =>
      Number.isFinite(value) ? [`${round(x((bin + 0.5) * binSeconds))},${round(y(value))}`] : [],
    );
    return `<polyline fill="none" stroke="${colour}" stroke-width="1.3" points="${points.join(" ")}"/>`;
  });
  return [`<text x="${left}" y="${top - 8}" font-weight="bold">${title}</text>`, ...grid, ...names, ...lines].join(
    "\n",
  );
}
