import { messages } from "../../shared/messages.ts";

export const t = messages({
  en: {
    title: "Sign in",
    welcome: "Look after the server",
    about: "For accounts that an administrator has marked: posthorn operator add ann@example.org",
    address: "Email address",
    password: "Password",
    signIn: "Sign in",
    signingIn: "Signing in…",
    wrong: "The address or the password is wrong.",
    noOperator: "This account is no operator's. On the server, “posthorn operator add” makes it one.",
    throttled: "Too many wrong attempts. Wait a few minutes, then try again.",
    unreachable: "The server cannot be reached. Check your connection and try again.",
    ended: "You were signed out. Sign in again to go on.",
    notEncrypted:
      "This connection is not encrypted: others on the way can read your password. Reach this page by a tunnel to 127.0.0.1, or over https://.",
  },
  de: {
    title: "Anmelden",
    welcome: "Den Server betreuen",
    about: "Für Konten, die ein Verwalter bestimmt hat: posthorn operator add ann@example.org",
    address: "E-Mail-Adresse",
    password: "Passwort",
    signIn: "Anmelden",
    signingIn: "Anmeldung läuft …",
    wrong: "Die Adresse oder das Passwort ist falsch.",
    noOperator: "Dieses Konto ist keines für den Betrieb. Auf dem Server macht „posthorn operator add“ es dazu.",
    throttled: "Zu viele falsche Versuche. Warten Sie ein paar Minuten und versuchen Sie es erneut.",
    unreachable: "Der Server ist nicht erreichbar. Prüfen Sie die Verbindung und versuchen Sie es erneut.",
    ended: "Sie wurden abgemeldet. Melden Sie sich wieder an, um fortzufahren.",
    notEncrypted:
      "Diese Verbindung ist nicht verschlüsselt: Andere können unterwegs Ihr Passwort lesen. Erreichen Sie diese Seite durch einen Tunnel zu 127.0.0.1 oder über https://.",
  },
});
