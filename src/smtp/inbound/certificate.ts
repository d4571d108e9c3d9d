import type { Clock } from "../../base/clock.ts";
import type { Database } from "../../store/core/database.ts";
import { keepSetting } from "../../store/core/settings.ts";

export interface Certificate {
  cert: string;
  key: string;
}

/** The certificate of a server, which may change while it serves. */
export interface Certificates {
  readonly current: Certificate;
  onChange(listener: (certificate: Certificate) => void): void;
}

const years = 10;

/** The certificate when none is configured: self-signed, made once and stored. */
export async function ownCertificate(database: Database, hostname: string, clock: Clock): Promise<Certificate> {
  const text = await keepSetting(database, `smtp_certificate ${hostname}`, async () =>
    JSON.stringify(await make(hostname, clock)),
  );
  return JSON.parse(text) as Certificate;
}

async function make(hostname: string, clock: Clock): Promise<Certificate> {
  const from = clock.now();
  const until = new Date(from);
  until.setUTCFullYear(from.getUTCFullYear() + years);
  // Loaded when it is needed, once in an installation: it takes 25 MB.
  const { generate } = await import("selfsigned");
  const made = await generate([{ name: "commonName", value: hostname.slice(0, 64) }], {
    keySize: 2048,
    algorithm: "sha256",
    notBeforeDate: from,
    notAfterDate: until,
    extensions: [{ name: "subjectAltName", altNames: [{ type: 2, value: hostname }] }],
  });
  return { cert: made.cert, key: made.private };
}
