/** The embedded database cannot run; the message is one line for the person who typed the command. */
export class StartError extends Error {
  override name = "StartError";
}

/** Another live process owns this data folder. */
export class InUseError extends StartError {
  override name = "InUseError";
  /** The owner is a command, which will soon be through. */
  readonly isPassing: boolean;

  constructor(message: string, isPassing: boolean) {
    super(message);
    this.isPassing = isPassing;
  }
}
