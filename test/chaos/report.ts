import type { Audit } from "./audit.ts";
import type { Chaos } from "./chaos.ts";
import type { FaultFigures, Figures } from "./figures.ts";

/** How much slower the living may be during a fault. */
const maxRatio = 3;

/** Which faults slowed or refused those who need nothing of what failed. */
export function slownessOf({ faults, calm }: Figures): string[] {
  const found = faults.flatMap(({ name, p95Ms, calmP95Ms, livingRefusals }) => {
    const slow = p95Ms !== undefined && calmP95Ms !== undefined && p95Ms > maxRatio * calmP95Ms;
    return [
      ...(slow
        ? [`${name}: the p95 of those who need nothing of it was ${ms(p95Ms)} ms, in calm times ${ms(calmP95Ms)}`]
        : []),
      ...(Object.keys(livingRefusals).length > 0 ? [`${name}: they were refused ${counted(livingRefusals)}`] : []),
    ];
  });
  const inCalm = counted(calm.refusals);
  return inCalm === "" ? found : [...found, `in calm times, ${inCalm}`];
}

const heads = [
  "fault",
  "s",
  "p95",
  "calm",
  "refused",
  "recovering: p95",
  "refused",
  "hit",
  "refused",
  "back",
  "last refusal",
];

export function tableOf({ faults, calm }: Figures): string {
  const rows = faults.map((one: FaultFigures) => [
    one.name,
    one.seconds.toFixed(0),
    ms(one.p95Ms),
    ms(one.calmP95Ms),
    summed(one.livingRefusals),
    ms(one.recovery.p95Ms),
    summed(one.recovery.refusals),
    String(one.hit),
    summed(one.hitRefusals),
    one.secondsUntilBack.toFixed(1),
    one.secondsUntilLastRefusal.toFixed(1),
  ]);
  const widths = heads.map((head, at) => Math.max(head.length, ...rows.map((row) => row[at]!.length)));
  const line = (cells: string[]) =>
    cells
      .map((cell, at) => cell.padEnd(widths[at]!))
      .join("  ")
      .trimEnd();
  return [
    `In calm times: p95 ${ms(calm.p95Ms)} ms of ${calm.samples}.`,
    "",
    line(heads),
    ...rows.map(line),
    "",
    "p95 in ms, of those who need nothing of what failed; times in s. Recovering: the first three seconds and those around the end.",
  ].join("\n");
}

export function summaryOf({ world, pushes, skipped }: Chaos, audit: Audit): string {
  const all = Object.entries(world.ledger.acknowledged).map(([what, count]) => `${count} ${what}`);
  const lines = [
    `Acknowledged: ${all.join(", ")}. Pushes: ${pushes}. Mails that left more than once: ${audit.repeats}.`,
    `What was queued had been delivered after ${(audit.drainMs / 1_000).toFixed(1)} s; ${audit.unconfirmed} mails that nobody was told of wait.`,
  ];
  if (skipped > 0) lines.push(`Left out, since too much was under way: ${skipped}.`);
  return lines.join("\n");
}

const ms = (value: number | undefined) => value?.toFixed(0) ?? "-";

const counted = (counts: Record<string, number>) =>
  Object.entries(counts)
    .map(([what, count]) => `${count} ${what}`)
    .join(", ");

/** Whatever was asked for. */
function summed(counts: Record<string, number>): string {
  const sums: Record<string, number> = {};
  for (const [key, count] of Object.entries(counts)) {
    const refusal = key.slice(key.indexOf(": ") + 2);
    sums[refusal] = (sums[refusal] ?? 0) + count;
  }
  return counted(sums);
}
