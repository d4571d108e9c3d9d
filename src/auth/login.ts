/** Who a request speaks for, and which accounts that opens. */
export interface Login {
  login: string;
  userId: number;
  accounts: AccountAccess[];
  /** Names the credential used, opaque: what is revoked by it ends. */
  credential: string;
}

export interface AccountAccess {
  id: number;
  name: string;
  isPersonal: boolean;
  isReadOnly: boolean;
}
