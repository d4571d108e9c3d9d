import { answerTasks } from "../../base/answer-tasks.ts";
import type { Given, Question } from "./verifier.ts";
import { verify } from "./verify.ts";

/** The caller of the thread answers its DNS questions. */
answerTasks<Given, unknown, Question>((message, { from, sender, hostname }, ask) =>
  verify({ message, from }, sender, { hostname, lookUp: (...question) => ask(question) }),
);
