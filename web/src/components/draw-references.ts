import type uPlot from 'uplot';
import type { ReferenceLine } from './chart.js';

/** Published figures: dashed lines with their names. */
export function drawReferences(
  { ctx, bbox, scales, valToPos }: uPlot,
  references: readonly ReferenceLine[],
  colour: string,
): void {
  const { min = 0, max = 0 } = scales.y!;
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.fillStyle = colour;
  ctx.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio]);
  ctx.font = `${11 * devicePixelRatio}px ui-sans-serif, system-ui, sans-serif`;
  // Figures that are close together have their names side by side.
  const sides = [
    { align: 'right', x: bbox.left + bbox.width - 6, y: Infinity },
    { align: 'left', x: bbox.left + 6, y: Infinity },
    { align: 'center', x: bbox.left + bbox.width / 2, y: Infinity },
  ] as { align: CanvasTextAlign; x: number; y: number }[];
  for (const { label, value } of references) {
    if (value < min || value > max) continue;
    const y = Math.round(valToPos(value, 'y', true)) + 0.5;
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    const side = sides.find((place) => Math.abs(place.y - y) > 14 * devicePixelRatio);
    if (!side) continue;
    side.y = y;
    ctx.textAlign = side.align;
    ctx.fillText(label, side.x, y - 4 * devicePixelRatio);
  }
  ctx.restore();
}
