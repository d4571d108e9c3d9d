import { userInfo } from "node:os";

/** Who runs the command, as the audit names them: the user of the system, or who became that user by sudo. */
export function operator(): string {
  return `cli:${process.env.SUDO_USER ?? userName()}`;
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run as a number that has no name.
    return String(process.getuid?.());
  }
}
