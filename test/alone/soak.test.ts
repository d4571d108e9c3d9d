import { expect, test } from "vitest";
import { tableOf } from "../soak/report.ts";
import { Soak } from "../soak/soak.ts";
import { isNightly, scaled } from "../support/scale.ts";

const mails = scaled(200, 20_000);
const kills = scaled(2, 40);
const maxMegabytes = 300;

test(
  `of ${mails} mails in and ${mails} out through hostile servers over ${kills} kills, each is accounted for once`,
  async () => {
    const figures = await Soak.run({ mails, octets: 1_000, kills, seed: Number(process.env.SEED ?? 1) });
    if (isNightly) process.stdout.write(tableOf(figures, mails));
    expect(figures.problems).toEqual([]);
    expect(figures.accounts.incoming).toMatchObject({ waiting: 0, setAside: 0, missing: [] });
    expect(figures.kills).toBe(kills);
    expect(figures.memory.most).toBeLessThan(maxMegabytes);
    // Kinds of misdeed that no mail met would prove nothing.
    expect(Object.keys(figures.misdeeds)).toEqual(expect.arrayContaining(["refuses", "greylists", "delays", "cuts"]));
  },
  scaled(120_000, 3_600_000),
);
