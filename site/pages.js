import { readdirSync } from "node:fs";

/** The pages of the site in the order of its menu: a heading, then `[source, title]`; titles of none stand in no menu. */
export const menu = [
  [
    "Begin",
    [
      ["README.md", "Quick start"],
      ["CHANGELOG.md", "What is new"],
    ],
  ],
  [
    "Run it",
    [
      ["docs/operations.md", "Operations"],
      ["docs/backup.md", "Backup and restore"],
      ["docs/compliance.md", "What laws ask for"],
      ["docs/moving-in.md", "Moving in"],
      ["docs/smtp.md", "Mail over SMTP"],
      ["docs/scaling.md", "From one machine to many"],
      ["docs/citus.md", "Citus"],
      ["docs/archive-format.md", "The archive of an account"],
      ["packaging/README.md", "Containers, systemd, Kubernetes"],
      ["SECURITY.md", "Security"],
    ],
  ],
  ["Write a client", [["docs/jmap.md", "JMAP"]]],
  [
    "Test a server",
    [
      ["conformance/README.md", "The conformance suite"],
      ["conformance/rulings.md", "Rulings"],
      ["docs/conformance/README.md", "Reports"],
    ],
  ],
  [
    "Change it",
    [
      ["CONTRIBUTING.md", "Contributing"],
      ["docs/architecture.md", "Architecture"],
      ["docs/glossary.md", "Glossary"],
      ["docs/adr/README.md", "Decisions"],
      ["web/README.md", "The pages for browsers"],
      ["docs/licences.md", "Licences"],
    ],
  ],
];

const besides = readdirSync(new URL("../docs/adr", import.meta.url))
  .filter((name) => /^\d.*\.md$/.test(name))
  .sort()
  .map((name) => `docs/adr/${name}`)
  .concat(["docs/README.md", "docs/scaling/sizes.md", "docs/scaling/week.md"]);

/** Where a source is in the site, such as `docs/operations.html`. */
export const placeOf = (source) => source.replace(/README\.md$/, "index.md").replace(/md$/, "html");

export const sources = [...menu.flatMap(([, pages]) => pages.map(([source]) => source)), ...besides];
