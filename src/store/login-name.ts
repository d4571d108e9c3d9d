/** A login with the account that is its own: its credentials and push subscriptions lie beside that. */
export interface LoginName {
  login: string;
  userId: number;
}
