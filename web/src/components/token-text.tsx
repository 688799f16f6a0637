import type { TextToken } from '../../logic/scored-text.js';
import { t } from '../state/language.js';

interface TokenTextProps {
  readonly label: string;
  readonly tokens: readonly TextToken[];
  readonly chosen: number | null;
  readonly onChoose: (index: number) => void;
  /** Background of a token, from -1 to 1; below 0 in another colour. */
  readonly shade?: (index: number) => number;
  /** First and last token of a part that is marked. */
  readonly span?: readonly [number, number] | null;
  readonly onSpan?: (start: number, end: number) => void;
}

/** A text whose tokens can be pointed at: by mouse, or with the arrows. */
export function TokenText({ label, tokens, chosen, onChoose, shade, span, onSpan }: TokenTextProps) {
  const onKey = (event: KeyboardEvent) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    const next = Math.max(0, Math.min(tokens.length - 1, (chosen ?? -1) + by));
    if (event.shiftKey && onSpan) onSpan(span?.[0] ?? chosen ?? next, next);
    onChoose(next);
  };
  let pressed: number | null = null;
  return (
    <div
      class="token-text"
      role="application"
      aria-label={`${label}. ${t('tokens.keys')}`}
      tabIndex={0}
      onKeyDown={onKey}
    >
      {tokens.map(({ text, before, scored }, index) => {
        const value = shade?.(index) ?? 0;
        const strength = Math.min(1, Math.abs(value));
        const isMarked = span != null && index >= span[0] && index <= span[1];
        return (
          <span key={`${scored.start}-${scored.end}`}>
            {before}
            <span
              class={`token${index === chosen ? ' is-chosen' : ''}${isMarked ? ' is-marked' : ''}`}
              style={
                strength > 0.02
                  ? {
                      background: `color-mix(in srgb, var(${value < 0 ? '--series-5' : '--series-2'}) ${Math.round(strength * 62)}%, transparent)`,
                    }
                  : {}
              }
              onMouseEnter={() => {
                if (pressed !== null) onSpan?.(Math.min(pressed, index), Math.max(pressed, index));
                else onChoose(index);
              }}
              onMouseDown={() => {
                if (onSpan) pressed = index;
              }}
              onMouseUp={() => {
                if (pressed === index) onSpan?.(index, index);
                pressed = null;
              }}
            >
              {text === '' || text === '\n'
                ? `${scored.token === '<eos>' || text === '\n' ? '↵' : scored.token}${text}`
                : text}
            </span>
          </span>
        );
      })}
    </div>
  );
}
