import { X509Certificate } from "node:crypto";
import { Agent } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import type { Authorization, Client } from "acme-client";
import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import type { Certificate } from "../../smtp/inbound/certificate.ts";
import type { Database } from "../../store/core/database.ts";
import { findSetting, keepSetting, putSetting, replaceSetting } from "../../store/core/settings.ts";
import { type Challenge, type Challenges, lookEveryMs } from "./challenges.ts";

export interface AcmeOptions {
  database: Database;
  challenges: Challenges;
  clock: Clock;
  log: Log;
  /** The names that the certificate is for. */
  names: readonly string[];
  directory: string;
  /** Whom the authority may write to; "" for nobody. */
  email: string;
  /** PEM of the authorities that sign the directory's own certificate; undefined for the usual ones. */
  ca: string | undefined;
  /** The ways in which the authority can reach this server. */
  ways: readonly Challenge["type"][];
  /** Called when a new certificate is stored. */
  onNew: () => void;
}

/** How often it is seen whether a certificate is due. */
const checkEveryMs = 10 * 60_000;
/** Another process tries no earlier: a crash in an order costs so much time. */
const leaseMs = 15 * 60_000;
const firstPauseMs = 60_000;
/** Authorities allow few failures an hour. */
const maxPauseMs = 6 * 3_600_000;
/** Of a certificate's life, the part before its end in which it is renewed. */
const renewedPart = 1 / 3;

const certificateSetting = (names: readonly string[]) => `acme_certificate ${names.join(",")}`;

/** The certificate that an authority gave, if there is one. */
export async function acmeCertificate(database: Database, names: readonly string[]): Promise<Certificate | undefined> {
  const text = await findSetting(database, certificateSetting(names));
  return text === undefined ? undefined : (JSON.parse(text) as Certificate);
}

/** Gets certificates from an authority (RFC 8555) and renews them, in one process at a time. Returns a function that stops it. */
export function keepCertified(options: AcmeOptions): () => Promise<void> {
  const ending = new AbortController();
  const { signal } = ending;
  const loop = async () => {
    let pauseMs = firstPauseMs;
    while (!signal.aborted) {
      let nextMs = checkEveryMs;
      try {
        if ((await isDue(options)) && (await lease(options))) await order(options);
        pauseMs = firstPauseMs;
      } catch (error) {
        const reason = (error as Error).message;
        options.log.error({ names: options.names, reason, againInSeconds: pauseMs / 1000 }, "no certificate by ACME");
        await release(options, pauseMs).catch(() => {});
        nextMs = pauseMs;
        pauseMs = Math.min(pauseMs * 2, maxPauseMs);
      }
      await sleep(nextMs, undefined, { signal, ref: false }).catch(() => {});
    }
  };
  const ended = loop();
  return () => {
    ending.abort();
    // An order under way may wait for the authority for minutes: its lease ends by itself.
    return Promise.race([ended, sleep(1_000, undefined, { ref: false })]);
  };
}

async function isDue({ database, names, clock }: AcmeOptions): Promise<boolean> {
  const certificate = await acmeCertificate(database, names);
  if (!certificate) return true;
  const { validFromDate: from, validToDate: to } = new X509Certificate(certificate.cert);
  const left = to.getTime() - clock.now().getTime();
  return left < (to.getTime() - from.getTime()) * renewedPart;
}

/** Each certificate has its own: one that can't be got must not keep the others from being renewed. */
const leaseSetting = ({ names }: AcmeOptions) => `acme_lease ${names.join(",")}`;

async function lease(options: AcmeOptions): Promise<boolean> {
  const { database, clock } = options;
  const now = clock.now().getTime();
  const from = await findSetting(database, leaseSetting(options));
  if (from !== undefined && Number(from) > now) return false;
  return replaceSetting(database, leaseSetting(options), { from, to: String(now + leaseMs) });
}

/** After a failure, no process tries again before the pause is over. */
const release = (options: AcmeOptions, pauseMs: number) =>
  putSetting(options.database, leaseSetting(options), String(options.clock.now().getTime() + pauseMs));

/** Loaded when it is needed: it takes 40 MB. */
const loadClient = async () => (await import("acme-client")).default;

async function order(options: AcmeOptions): Promise<void> {
  const { database, names, directory, email, ca, challenges, ways, log } = options;
  const acme = await loadClient();
  if (ca !== undefined) acme.axios.defaults.httpsAgent = new Agent({ ca });
  const accountKey = await keepSetting(database, `acme_account ${directory}`, async () =>
    String(await acme.crypto.createPrivateEcdsaKey()),
  );
  const client = await signedUp(new acme.Client({ directoryUrl: directory, accountKey }), email);
  const [key, csr] = await acme.crypto.createCsr(
    { commonName: names[0]!, altNames: [...names] },
    await acme.crypto.createPrivateEcdsaKey(),
  );
  log.info({ names, directory }, "asking for a certificate");
  const open: Challenge[] = [];
  try {
    const cert = await client.auto({
      csr,
      // From here a name may lead elsewhere than from outside.
      skipChallengeVerification: true,
      challengePriority: [...ways],
      challengeCreateFn: async (authorization, { type, token }, keyAuthorization) => {
        const challenge = await challengeOf(authorization, { type, token, keyAuthorization });
        open.push(challenge);
        await challenges.put(challenge);
        // Until every process knows.
        if (challenge.type === "tls-alpn-01") await sleep(2 * lookEveryMs);
      },
      challengeRemoveFn: async () => {},
    });
    await putSetting(database, certificateSetting(names), JSON.stringify({ cert, key: String(key) }));
  } finally {
    for (const challenge of open) await challenges.drop(challenge);
  }
  await release(options, 0);
  log.info({ names }, "the authority has given a certificate");
  options.onNew();
}

/** RFC 8555 §7.3: with an account, which may be there already. */
async function signedUp(client: Client, email: string): Promise<Client> {
  const contact = email === "" ? {} : { contact: [`mailto:${email}`] };
  try {
    await client.createAccount({ termsOfServiceAgreed: true, ...contact });
  } catch (error) {
    // One that is there is found, and then changed to what it is, which some authorities refuse.
    try {
      client.getAccountUrl();
    } catch {
      throw error;
    }
  }
  return client;
}

async function challengeOf(
  authorization: Authorization,
  { type, token, keyAuthorization }: { type: string; token: string; keyAuthorization: string },
): Promise<Challenge> {
  if (type === "http-01") return { type, token, keyAuthorization };
  if (type !== "tls-alpn-01") throw new Error(`the authority offers no way to prove a name but ${type}`);
  const acme = await loadClient();
  const [key, cert] = await acme.crypto.createAlpnCertificate(authorization, keyAuthorization);
  const name = authorization.identifier.value.toLowerCase();
  return { type, name, certificate: { cert: String(cert), key: String(key) } };
}
