import type { ComponentChildren } from 'preact';
import { Icon, type IconName } from './icons.js';

interface ButtonProps {
  readonly children?: ComponentChildren;
  readonly icon?: IconName;
  /** Said by screen readers, and shown as a hint, where the icon stands alone. */
  readonly label?: string;
  readonly kind?: 'primary' | 'danger' | 'quiet';
  readonly type?: 'button' | 'submit';
  readonly disabled?: boolean;
  readonly pressed?: boolean;
  readonly onClick?: (event: MouseEvent) => void;
}

export function Button({
  children,
  icon,
  label,
  kind,
  type = 'button',
  disabled,
  pressed,
  onClick,
}: ButtonProps) {
  const classes = ['button', kind && `button-${kind}`, !children && 'button-icon'].filter(Boolean).join(' ');
  return (
    <button
      type={type}
      class={classes}
      disabled={disabled ?? false}
      {...(label !== undefined && { 'aria-label': label, title: label })}
      {...(pressed !== undefined && { 'aria-pressed': pressed })}
      {...(onClick && { onClick })}
    >
      {icon && <Icon name={icon} />}
      {children}
    </button>
  );
}
