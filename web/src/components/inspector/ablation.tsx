import { formatDelta, formatFigure } from '../../../logic/format.js';
import type { Inspector } from '../../state/inspector.js';
import { t } from '../../state/language.js';
import { Button } from '../button.js';
import { Icon } from '../icons.js';

/** Units that are switched off, and what that does to the text. */
export function Ablation({ inspector }: { readonly inspector: Inspector }) {
  // Nothing here is switched while a text is read: that would end the reading, and leave the units of another layer in sight.
  const { unit, layer, firstUnit, ablated, effect, isAtWork } = inspector;
  const picked = unit.value === null ? null : { layer: layer.value, unit: firstUnit.value + unit.value };
  const isOff = ablated.value.some((one) => one.layer === picked?.layer && one.unit === picked.unit);
  return (
    <div class="ablation">
      <div class="playground-actions">
        <Button
          disabled={picked === null || isAtWork.value}
          onClick={() => {
            if (picked) void inspector.toggle(picked);
          }}
        >
          {picked === null
            ? t('inspector.switchOff')
            : t(isOff ? 'inspector.switchUnitOn' : 'inspector.switchUnitOff', { unit: picked.unit })}
        </Button>
        {ablated.value.length > 0 && (
          <>
            <ul class="ablated" aria-label={t('inspector.ablated')}>
              {ablated.value.map((one) => (
                <li key={`${one.layer}.${one.unit}`}>
                  <button
                    type="button"
                    class="tag"
                    disabled={isAtWork.value}
                    onClick={() => void inspector.toggle(one)}
                  >
                    {t('inspector.ablatedUnit', { layer: one.layer + 1, unit: one.unit })}
                    <Icon name="close" size={12} />
                    <span class="visually-hidden">{t('inspector.switchUnitOn', { unit: one.unit })}</span>
                  </button>
                </li>
              ))}
            </ul>
            <Button kind="quiet" disabled={isAtWork.value} onClick={() => void inspector.switchAllOn()}>
              {t('inspector.allOn')}
            </Button>
          </>
        )}
      </div>
      {effect.value && (
        <p class="small number ablation-effect" aria-live="polite">
          {t('inspector.effect', {
            before: formatFigure(effect.value.before),
            after: formatFigure(effect.value.after),
            change: formatDelta(effect.value.after, effect.value.before) ?? '',
            perplexityBefore: formatFigure(Math.exp(effect.value.before)),
            perplexityAfter: formatFigure(Math.exp(effect.value.after)),
          })}
        </p>
      )}
    </div>
  );
}
