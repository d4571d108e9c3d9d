import type { Events } from "../../src/base/events.ts";

type Told = { [Name in keyof Events]: [name: Name, event: Parameters<Events[Name]>[0]] }[keyof Events];

/** A listener that keeps all events, in order. */
export function keepEvents(): { events: Events; told: Told[] } {
  const told: Told[] = [];
  const keep =
    <Name extends keyof Events>(name: Name) =>
    (event: Parameters<Events[Name]>[0]) =>
      void told.push([name, event] as Told);
  const events: Events = {
    mailTaken: keep("mailTaken"),
    mailNotStored: keep("mailNotStored"),
    mailRefused: keep("mailRefused"),
    checkObjected: keep("checkObjected"),
    clueFound: keep("clueFound"),
    webConnectionClosed: keep("webConnectionClosed"),
    attemptEnded: keep("attemptEnded"),
    tlsJudged: keep("tlsJudged"),
    connectionUsed: keep("connectionUsed"),
    mailInTrouble: keep("mailInTrouble"),
    senderHeld: keep("senderHeld"),
    sourceRests: keep("sourceRests"),
    bulkSent: keep("bulkSent"),
    methodRan: keep("methodRan"),
    requestEnded: keep("requestEnded"),
    objectOperationEnded: keep("objectOperationEnded"),
    pushSent: keep("pushSent"),
    pushFailed: keep("pushFailed"),
    redisAnswered: keep("redisAnswered"),
    bodyRead: keep("bodyRead"),
    bodiesAsked: keep("bodiesAsked"),
    packChanged: keep("packChanged"),
    mailFiled: keep("mailFiled"),
    virusFound: () => told.push(["virusFound", undefined as never]),
    feedbackCame: keep("feedbackCame"),
  };
  return { events, told };
}
