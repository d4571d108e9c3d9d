import { readOptions } from "../../bench/options.ts";
import { tableOf } from "./report.ts";
import { Soak } from "./soak.ts";

const help = `npm run soak -- [options]

Sends mail in and out through servers that refuse, delay, cut, greylist, lie, limit recipients and break TLS off, while processes
of the server are killed; then accounts for each mail, by the audit of the queues and by what the servers stored. Exit code 1 if
any is lost, or doubled elsewhere than where SMTP leaves that open. Needs Linux.

  --mails N    in, and as many recipients out (default: 20000)
  --size N     octets of the text of a mail (default: 1000)
  --kills N    of processes (default: 40)
  --seed N     of what happens (default: 1)
  --help
`;
const { values } = readOptions(
  {
    options: {
      mails: { type: "string", default: "20000" },
      size: { type: "string", default: "1000" },
      kills: { type: "string", default: "40" },
      seed: { type: "string", default: "1" },
      help: { type: "boolean" },
    },
  },
  help,
);
const numbers = [values.mails, values.size, values.kills, values.seed].map(Number);
const [mails, octets, kills, seed] = numbers as [number, number, number, number];
if (values.help || !(mails >= 1) || !(octets >= 1) || !(kills >= 0) || !Number.isInteger(seed)) {
  (values.help ? process.stdout : process.stderr).write(help);
  process.exit(values.help ? 0 : 2);
}
const figures = await Soak.run({ mails, octets, kills, seed });
process.stdout.write(tableOf(figures, mails));
process.exit(figures.problems.length === 0 ? 0 : 1);
