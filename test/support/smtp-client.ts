// The client is in conformance/, which the benchmark may import too.
export {
  deliver,
  type Reply,
  SmtpConnection,
  SmtpFailure,
} from "../../conformance/client/smtp.ts";
