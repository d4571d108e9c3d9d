/** Why a backup can't be taken, read or restored. The message is one line for the person who typed the command. */
export class BackupError extends Error {
  override name = "BackupError";
}

/** A file of the backup is not as it was written. */
export class DamagedBackup extends BackupError {
  override name = "DamagedBackup";
  readonly file: string;

  constructor(file: string, how: string) {
    super(`the backup is damaged: ${file} ${how} (see: posthorn backup verify)`);
    this.file = file;
  }
}
