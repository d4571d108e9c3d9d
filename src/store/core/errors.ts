/** The store never throws JMAP errors: these say what happened, and the front doors choose the words. */

export class AccountMissing extends Error {
  constructor(accountId: number) {
    super(`no account ${accountId}`);
  }
}

/** A unique constraint of the store refused a value; `constraint` is its name in the migrations. */
export class Conflict extends Error {
  readonly constraint: string;

  constructor(constraint: string, cause?: unknown) {
    super(`conflict: ${constraint}`, { cause });
    this.constraint = constraint;
  }
}

/** The object of a blob reference is not in the blob store, or its bytes are not what its name says. */
export class BlobMissing extends Error {}

/** The tables are not such as this program may work on; the message tells the operator what to do. */
export class SchemaRefused extends Error {}

/** COMMIT itself failed: whether the transaction took hold is unknown. */
export class CommitError extends Error {
  constructor(cause: unknown) {
    super("commit outcome unknown", { cause });
  }
}
