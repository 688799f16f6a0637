import type { Experiment } from '../../../../src/contracts/experiment.js';
import { chartSvg, type SvgChart } from '../../../logic/chart-svg.js';
import { seriesCsv } from '../../../logic/csv.js';
import { saveFile } from '../../api/download.js';
import type { Comparison, Metric } from '../../state/comparison.js';
import { attempt } from '../../state/notices.js';
import { colourOf } from '../../state/theme.js';
import { Button } from '../button.js';

interface DownloadsProps {
  readonly runs: readonly Experiment[];
  readonly metric: Metric;
  readonly comparison: Comparison;
  readonly picture: SvgChart;
  /** Whether the picture has the series of all runs. */
  readonly isComplete: boolean;
}

const PNG_SCALE = 2;

export function Downloads({ runs, metric, comparison, picture, isComplete }: DownloadsProps) {
  const svg = () => {
    const lines = picture.lines.map((line) => ({ ...line, colour: colourOf(line.colour) }));
    return new Blob([chartSvg({ ...picture, lines })], { type: 'image/svg+xml' });
  };
  const csv = async () => {
    const series = await Promise.all(
      runs.map(async ({ id, name }) => {
        const read = await comparison.readAll(id, metric);
        return { run: name, id, metric, points: read[metric] ?? [] };
      }),
    );
    saveFile(new Blob([seriesCsv(series)], { type: 'text/csv' }), `${metric}.csv`);
  };
  return (
    <div class="downloads">
      <Button icon="download" disabled={!isComplete} onClick={() => saveFile(svg(), `${metric}.svg`)}>
        SVG
      </Button>
      <Button
        icon="download"
        disabled={!isComplete}
        onClick={() => void attempt(async () => saveFile(await toPng(svg()), `${metric}.png`))}
      >
        PNG
      </Button>
      <Button icon="download" onClick={() => void attempt(csv)}>
        CSV
      </Button>
    </div>
  );
}

async function toPng(svg: Blob): Promise<Blob> {
  const image = new Image();
  image.src = URL.createObjectURL(svg);
  try {
    await image.decode();
    const canvas = document.createElement('canvas');
    canvas.width = image.width * PNG_SCALE;
    canvas.height = image.height * PNG_SCALE;
    canvas.getContext('2d')!.drawImage(image, 0, 0, canvas.width, canvas.height);
    return await new Promise<Blob>((resolve, reject) => {
      canvas.toBlob((png) => (png ? resolve(png) : reject(new Error('The picture could not be made'))));
    });
  } finally {
    URL.revokeObjectURL(image.src);
  }
}
