/** The embedded database cannot run. The message is one line for the person who typed the command. */
export class StartError extends Error {
  override name = "StartError";
}

/** Another live process owns this data folder. */
export class InUseError extends StartError {
  override name = "InUseError";
  /** The owner is a short-lived command. */
  readonly isPassing: boolean;

  constructor(message: string, isPassing: boolean) {
    super(message);
    this.isPassing = isPassing;
  }
}
