import { type Check, pass, refuse } from "./stage.ts";

/** RFC 8314 §3: a client sends its mail over TLS alone. */
export const encrypted: Check<"mail"> = ({ tls }) =>
  tls === undefined ? refuse(530, "5.7.0", "encryption is required: send STARTTLS first") : pass();
