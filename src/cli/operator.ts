import { userInfo } from "node:os";

/** Who runs the command, as the audit names them: the system's user, or the user who called sudo. */
export function operator(): string {
  return `cli:${process.env.SUDO_USER ?? userName()}`;
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run as a user id without a name.
    return String(process.getuid?.());
  }
}
