// The client stands in conformance/, where the benchmark may reach it too.
export {
  deliver,
  type Envelope,
  type Reply,
  SmtpConnection,
  SmtpFailure,
  type Target,
} from "../../conformance/client/smtp.ts";
