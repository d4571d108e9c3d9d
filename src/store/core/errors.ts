/** The store never throws JMAP or SMTP errors: callers translate these into their protocol. */

export class AccountMissing extends Error {
  constructor(accountId: number) {
    super(`no account ${accountId}`);
  }
}

/** A value violated a unique constraint; `constraint` is its name in the migrations. */
export class Conflict extends Error {
  readonly constraint: string;

  constructor(constraint: string, cause?: unknown) {
    super(`conflict: ${constraint}`, { cause });
    this.constraint = constraint;
  }
}

/**
 * The name, as in the migrations, of the unique constraint that an error of Postgres is about. Citus names that of the
 * shard, which ends with its number; from another node, the name is in the message alone.
 */
export function constraintOf({ constraint, message }: { constraint?: string | undefined; message: string }): string {
  const ofShard = /\b(\w+)_\d{6,}\b/;
  return ofShard.exec(constraint ?? message)?.[1] ?? constraint ?? "unique";
}

/** The object of a blob reference is missing, or its bytes do not match its hash. */
export class BlobMissing extends Error {}

/** The place where bodies are kept gives no answer, or refuses this server: whether it has a body is not known. */
export class BodiesAway extends Error {
  readonly code = "BODIES_AWAY";

  constructor(cause: unknown) {
    super(`bodies can't be reached: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** This program must not run on the database's schema; the message tells the operator what to do. */
export class SchemaRefused extends Error {}

/** COMMIT itself failed: whether the transaction was committed is unknown. */
export class CommitError extends Error {
  constructor(cause: unknown) {
    super("commit outcome unknown", { cause });
  }
}
