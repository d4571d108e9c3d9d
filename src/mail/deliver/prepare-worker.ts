import { answerTasks } from "../../base/answer-tasks.ts";
import { bodyValue } from "../../mime/decode.ts";
import { prepareMessage } from "./prepare.ts";
import type { Wanted } from "./preparer.ts";

answerTasks((bytes, { body, ...wanted }: Wanted) =>
  body ? bodyValue(bytes, body.part, body.maxBytes) : prepareMessage(bytes, wanted),
);
