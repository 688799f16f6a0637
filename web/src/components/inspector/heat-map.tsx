import { useEffect, useRef } from 'preact/hooks';
import { formatFigure } from '../../../logic/format.js';
import type { Inspector } from '../../state/inspector.js';
import { t } from '../../state/language.js';
import { colourOf, themeVersion } from '../../state/theme.js';

const CELL_HEIGHT = 9;
const MIN_CELL_WIDTH = 7;
const LABEL_WIDTH = 44;
/** Of the colours of a unit that is switched off. */
const OFF_STRENGTH = 0.25;

/** Values of the units (rows) over the text (columns); a click picks a unit, the cursor a token. */
export function HeatMap({ inspector }: { readonly inspector: Inspector }) {
  const { activations, chosen, unit, firstUnit, channel, layer, ablated, colouring } = inspector;
  const canvas = useRef<HTMLCanvasElement>(null);
  const rows = activations.value;
  const columns = rows[0]?.length ?? 0;
  const room = (canvas.current?.parentElement?.clientWidth ?? 900) - 4;
  const width = Math.max(columns * MIN_CELL_WIDTH + LABEL_WIDTH, room);
  const cellWidth = (width - LABEL_WIDTH) / Math.max(1, columns);
  const height = rows.length * CELL_HEIGHT;
  const version = themeVersion.value;

  useEffect(() => {
    const element = canvas.current;
    const context = element?.getContext('2d');
    if (!element || !context) return;
    const ratio = devicePixelRatio;
    element.width = width * ratio;
    element.height = height * ratio;
    context.scale(ratio, ratio);
    const positive = colourOf('--series-2');
    const negative = colourOf('--series-5');
    const highest = Math.max(1e-6, ...rows.flat().map(Math.abs));
    context.font = '9px ui-sans-serif, system-ui, sans-serif';
    context.textAlign = 'right';
    const off = new Set(ablated.value.filter((one) => one.layer === layer.value).map((one) => one.unit));
    rows.forEach((row, index) => {
      const y = index * CELL_HEIGHT;
      const strength = off.has(firstUnit.value + index) ? OFF_STRENGTH : 1;
      if (index % 8 === 0 || index === unit.value) {
        context.globalAlpha = 1;
        context.fillStyle = colourOf('--text-faint');
        context.fillText(String(firstUnit.value + index), LABEL_WIDTH - 8, y + 8);
      }
      row.forEach((value, column) => {
        context.globalAlpha = strength * Math.min(1, Math.abs(value) / highest);
        context.fillStyle = value < 0 ? negative : positive;
        context.fillRect(LABEL_WIDTH + column * cellWidth, y, Math.ceil(cellWidth), CELL_HEIGHT - 1);
      });
    });
    context.globalAlpha = 1;
    context.strokeStyle = colourOf('--text');
    if (unit.value !== null)
      context.strokeRect(LABEL_WIDTH, unit.value * CELL_HEIGHT - 0.5, width - LABEL_WIDTH - 1, CELL_HEIGHT);
    if (chosen.value !== null) {
      context.strokeStyle = colourOf('--accent');
      context.strokeRect(LABEL_WIDTH + chosen.value * cellWidth, 0.5, Math.max(2, cellWidth), height - 1);
    }
  }, [rows, chosen.value, unit.value, ablated.value, version]);

  const pick = (row: number) => {
    unit.value = row;
    colouring.value = 'unit';
  };

  const placeOf = (event: MouseEvent) => {
    const box = canvas.current!.getBoundingClientRect();
    const column = Math.floor((event.clientX - box.left - LABEL_WIDTH) / cellWidth);
    const row = Math.floor((event.clientY - box.top) / CELL_HEIGHT);
    return {
      column: Math.max(0, Math.min(columns - 1, column)),
      row: Math.max(0, Math.min(rows.length - 1, row)),
    };
  };
  const onKey = (event: KeyboardEvent) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    pick(Math.max(0, Math.min(rows.length - 1, (unit.value ?? -by) + by)));
  };
  const value = unit.value === null || chosen.value === null ? null : rows[unit.value]?.[chosen.value];
  return (
    <>
      <div
        class="heat-map"
        role="application"
        aria-label={t('inspector.heatMap', { channel: channel.value })}
        tabIndex={0}
        onKeyDown={onKey}
      >
        <canvas
          ref={canvas}
          style={{ width: `${width}px`, height: `${height}px` }}
          onMouseMove={(event) => {
            chosen.value = placeOf(event).column;
          }}
          onClick={(event) => {
            pick(placeOf(event).row);
          }}
        />
      </div>
      <p class="faint small number" aria-live="polite">
        {unit.value === null
          ? t('inspector.pickUnit')
          : t('inspector.unitValue', { unit: firstUnit.value + unit.value, value: formatFigure(value) })}
      </p>
    </>
  );
}
