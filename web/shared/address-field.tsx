/** Where somebody who signs in, or has forgotten the password, types their own address. */
export function AddressField({ label }: { label: string }) {
  return (
    <label class="field">
      <span>{label}</span>
      <input
        class="input"
        name="username"
        type="text"
        inputMode="email"
        autocomplete="username"
        autocapitalize="off"
        spellcheck={false}
        required
        autofocus
      />
    </label>
  );
}
