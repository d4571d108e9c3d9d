import { messages } from "../shared/messages.ts";

export const t = messages({
  en: {
    title: "Sign in",
    welcome: "Sign in to your mail",
    address: "Email address",
    password: "Password",
    showPassword: "Show the password",
    stay: "Stay signed in on this device",
    signIn: "Sign in",
    signingIn: "Signing in…",
    signInAt: "Sign in with {host}",
    notVerified: "Your identity provider has not verified your address.",
    noAccount: "There is no account for your address here. Ask the operator.",
    providerFailed: "Signing in with your identity provider did not work. Try again.",
    wrong: "The address or the password is wrong.",
    throttled: {
      one: "Too many attempts. Wait a second, then try again.",
      other: "Too many attempts. Wait {n} seconds, then try again.",
    },
    throttledSoon: "Too many wrong attempts. Wait a few minutes, then try again.",
    appPassword: "That is an app password, which is for one program. Use the password of your account.",
    unreachable: "The server cannot be reached. Check your connection and try again.",
    ended: "You were signed out. Sign in again to go on.",
    notEncrypted:
      "This connection is not encrypted: others on the way can read your password and mail. Use an address that begins with https://.",
  },
  de: {
    title: "Anmelden",
    welcome: "Bei Ihrer Mail anmelden",
    address: "E-Mail-Adresse",
    password: "Passwort",
    showPassword: "Passwort zeigen",
    stay: "Auf diesem Gerät angemeldet bleiben",
    signIn: "Anmelden",
    signingIn: "Anmeldung läuft …",
    signInAt: "Mit {host} anmelden",
    notVerified: "Ihr Identitätsanbieter hat Ihre Adresse nicht bestätigt.",
    noAccount: "Für Ihre Adresse gibt es hier kein Konto. Fragen Sie den Betreiber.",
    providerFailed: "Die Anmeldung bei Ihrem Identitätsanbieter ist nicht gelungen. Versuchen Sie es noch einmal.",
    wrong: "Die Adresse oder das Passwort ist falsch.",
    throttled: {
      one: "Zu viele Versuche. Warten Sie eine Sekunde und versuchen Sie es erneut.",
      other: "Zu viele Versuche. Warten Sie {n} Sekunden und versuchen Sie es erneut.",
    },
    throttledSoon: "Zu viele falsche Versuche. Warten Sie ein paar Minuten und versuchen Sie es erneut.",
    appPassword: "Das ist ein App-Passwort, das für ein Programm gilt. Verwenden Sie das Passwort Ihres Kontos.",
    unreachable: "Der Server ist nicht erreichbar. Prüfen Sie die Verbindung und versuchen Sie es erneut.",
    ended: "Sie wurden abgemeldet. Melden Sie sich wieder an, um fortzufahren.",
    notEncrypted:
      "Diese Verbindung ist nicht verschlüsselt: Andere können unterwegs Ihr Passwort und Ihre Mail lesen. Verwenden Sie eine Adresse, die mit https:// beginnt.",
  },
});
