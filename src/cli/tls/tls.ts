import { readFile } from "node:fs/promises";
import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import type { Config } from "../../config/schema.ts";
import { type Certificate, type Certificates, ownCertificate } from "../../smtp/inbound/certificate.ts";
import type { Database } from "../../store/core/database.ts";
import { acmeCertificate, keepCertified } from "./acme.ts";
import { ChangingCertificates, readPair } from "./certificates.ts";
import { Challenges } from "./challenges.ts";
import { StsCertificates } from "./sts-certificates.ts";

const withoutAcme = { challenges: undefined, stsCertificates: undefined };

/** What TLS needs in a process. */
export interface Tls {
  certificates: Certificates;
  /** Undefined without ACME. */
  challenges: Challenges | undefined;
  /** For the hosts of our domains' MTA-STS policies. Undefined without ACME. */
  stsCertificates: StsCertificates | undefined;
  stop(): Promise<void>;
}

/**
 * The certificate is from the configured files, else from an authority, else our own. Without read access or a pair, throws
 * a Failure.
 */
export async function openTls(
  config: Config,
  database: Database,
  { clock, log }: { clock: Clock; log: Log },
): Promise<Tls> {
  const { tlsCert, acme: names, hostname } = config;
  const changing = (first: Certificate, source: () => Promise<Certificate | undefined>) =>
    new ChangingCertificates({ first, source, log });
  if (tlsCert !== "") {
    const certificates = changing(await readPair(config), () => readPair(config));
    return { certificates, ...withoutAcme, stop: async () => certificates.close() };
  }
  const own = () => ownCertificate(database, hostname, clock);
  if (names.length === 0) {
    const current = await own();
    return { certificates: { current, onChange: () => {} }, ...withoutAcme, stop: async () => {} };
  }
  const given = () => acmeCertificate(database, names);
  const certificates = changing((await given()) ?? (await own()), given);
  const challenges = new Challenges(database);
  const common = {
    ...{ database, challenges, clock, log },
    directory: config.acmeDirectory,
    email: config.acmeEmail,
    ca: config.acmeCa === "" ? undefined : await readFile(config.acmeCa, "utf8"),
    ways: [...(config.httpRedirect ? (["http-01"] as const) : []), ...(config.https ? (["tls-alpn-01"] as const) : [])],
  };
  const stopAsking = keepCertified({ ...common, names, onNew: () => void certificates.look() });
  const keep = (name: string, onNew: () => void) => keepCertified({ ...common, names: [name], onNew });
  const stsCertificates = new StsCertificates({ database, keep, log });
  return {
    certificates,
    challenges,
    stsCertificates,
    stop: async () => {
      certificates.close();
      await Promise.all([stopAsking(), stsCertificates.stop()]);
    },
  };
}
