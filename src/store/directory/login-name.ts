/** A login and its own account, which also holds its credentials and push subscriptions. */
export interface LoginName {
  login: string;
  userId: number;
}
