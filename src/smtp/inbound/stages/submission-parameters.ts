import type { Clock } from "../../../base/clock.ts";
import { SubmissionRefused } from "../../../mail/submit/submission-refused.ts";
import { checkParameters, holdUntil } from "../../../mail/submit/submit-parameters.ts";
import { parametersOf } from "../submitted-envelope.ts";
import { type Check, pass, refuse } from "./stage.ts";

/** RFC 3461, RFC 4865: the values of the parameters, as for EmailSubmission/set. */
export function submissionParameters({ clock }: { clock: Clock }): {
  ofMail: Check<"mail">;
  ofRcpt: Check<"rcpt">;
} {
  const judged = (work: () => void) => {
    try {
      work();
      return pass();
    } catch (error) {
      if (!(error instanceof SubmissionRefused)) throw error;
      return refuse(501, "5.5.4", error.message);
    }
  };
  return {
    ofMail: (_, { path }) =>
      judged(() => {
        const parameters = parametersOf(path);
        checkParameters("mail", parameters);
        holdUntil(parameters, clock.now());
      }),
    ofRcpt: (_, { path }) => judged(() => checkParameters("rcpt", parametersOf(path))),
  };
}
