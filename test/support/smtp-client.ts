// The client stands in conformance/, where the benchmark may reach it too.
export {
  deliver,
  type Reply,
  SmtpConnection,
  SmtpFailure,
} from "../../conformance/client/smtp.ts";
