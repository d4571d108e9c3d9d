import { createSecureContext, type SecureContext } from "node:tls";
import type { Log } from "../../base/log.ts";
import type { Database } from "../../store/core/database.ts";
import { domainsWithSts } from "../../store/directory/mta-sts.ts";
import { acmeCertificate } from "./acme.ts";

/** Asks an authority for a certificate for one name, and renews it; returns a function that stops it. */
type Keep = (name: string, onNew: () => void) => () => Promise<void>;

const lookEveryMs = 10_000;

/**
 * RFC 8461 §3.3: certificates for the hosts of our domains' policies, each of its own, since a domain whose DNS does not lead
 * here must not cost the others theirs. Domains that get a policy are noticed within seconds.
 */
export class StsCertificates {
  readonly #database: Database;
  readonly #keep: Keep;
  readonly #log: Log;
  readonly #kept = new Map<string, () => Promise<void>>();
  readonly #contexts = new Map<string, { cert: string; context: SecureContext }>();
  readonly #timer: NodeJS.Timeout;
  #looking: Promise<void> | undefined;

  constructor({ database, keep, log }: { database: Database; keep: Keep; log: Log }) {
    this.#database = database;
    this.#keep = keep;
    this.#log = log;
    this.#timer = setInterval(() => void this.look(), lookEveryMs).unref();
    void this.look();
  }

  /** Undefined for names that are none of these, or have no certificate yet. */
  contextFor(name: string): SecureContext | undefined {
    return this.#contexts.get(name.toLowerCase())?.context;
  }

  look(): Promise<void> {
    this.#looking ??= this.#look()
      .catch((error: Error) =>
        this.#log.warn({ reason: error.message }, "certificates for MTA-STS were not looked for"),
      )
      .finally(() => {
        this.#looking = undefined;
      });
    return this.#looking;
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
    await Promise.all([...this.#kept.values()].map((stop) => stop()));
  }

  async #look(): Promise<void> {
    const names = new Set((await domainsWithSts(this.#database)).map((domain) => `mta-sts.${domain}`));
    for (const [name, stop] of this.#kept) {
      if (names.has(name)) continue;
      this.#kept.delete(name);
      this.#contexts.delete(name);
      await stop();
    }
    for (const name of names) {
      if (!this.#kept.has(name))
        this.#kept.set(
          name,
          this.#keep(name, () => void this.look()),
        );
      const found = await acmeCertificate(this.#database, [name]);
      if (!found || found.cert === this.#contexts.get(name)?.cert) continue;
      this.#contexts.set(name, { cert: found.cert, context: createSecureContext({ ...found, minVersion: "TLSv1.2" }) });
    }
  }
}
