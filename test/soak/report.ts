import type { Figures } from "./soak.ts";

const maxShown = 20;

/** For people. */
export function tableOf(figures: Figures, mails: number): string {
  const { problems, doubled, accounts, memory, tries, misdeeds } = figures;
  const { missing, ...incoming } = accounts.incoming;
  const rate = (seconds: number) => `${(mails / seconds).toFixed(0)} a second`;
  const counts = (of: object) =>
    Object.entries(of)
      .map(([name, count]) => `${name} ${count}`)
      .join(", ");
  return [
    `in: ${mails} taken in ${figures.sentIn.toFixed(0)} s, ${rate(figures.sentIn)}, in ${tries.in} tries`,
    `out: ${mails} recipients submitted in ${figures.sentOut.toFixed(0)} s, ${rate(figures.sentOut)}; ${tries.out} transactions`,
    `settled after ${figures.settled.toFixed(0)} s, ${figures.cpuMsPerMail.toFixed(1)} ms of CPU a mail, ${figures.kills} kills`,
    `memory of a process: at most ${memory.most} MB; in the first third ${memory.first} MB, in the last ${memory.last} MB`,
    `what the servers did: ${counts(misdeeds)}`,
    `audit, in: ${counts(incoming)}, missing ${missing.length}; out: ${counts(accounts.outgoing)}`,
    `doubled where SMTP leaves it open: ${doubled.in} in, ${doubled.out} out`,
    `problems: ${problems.length}`,
    ...problems.slice(0, maxShown).map((problem) => `  ${problem}`),
    "",
  ].join("\n");
}
