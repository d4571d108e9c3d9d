import type { ComponentChildren } from "preact";
import { Icon, type IconName } from "./icons.tsx";

interface Props {
  onClick?(): void;
  children: ComponentChildren;
  icon?: IconName;
  isPrimary?: boolean;
  isDanger?: boolean;
  disabled?: boolean;
  /** Sends the form that it is in. */
  submits?: boolean;
  class?: string;
}

export function Button({
  onClick,
  children,
  icon,
  isPrimary,
  isDanger,
  disabled = false,
  submits,
  class: more = "",
}: Props) {
  const className = `button ${isPrimary ? "is-primary" : ""} ${isDanger ? "is-danger" : ""} ${more}`;
  return (
    <button type={submits ? "submit" : "button"} class={className} disabled={disabled} onClick={() => onClick?.()}>
      {icon && <Icon name={icon} />}
      {children}
    </button>
  );
}

interface IconButtonProps {
  icon: IconName;
  /** Its name, which shows as a hint as well. */
  label: string;
  onClick(): void;
  disabled?: boolean;
  isPressed?: boolean;
  isFilled?: boolean;
  class?: string;
}

export function IconButton({
  icon,
  label,
  onClick,
  disabled = false,
  isPressed,
  isFilled = false,
  class: more = "",
}: IconButtonProps) {
  return (
    <button
      type="button"
      class={`icon-button ${more}`}
      aria-label={label}
      title={label}
      aria-pressed={isPressed}
      disabled={disabled}
      onClick={onClick}
    >
      <Icon name={icon} isFilled={isFilled} />
    </button>
  );
}
