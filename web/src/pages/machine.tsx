import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import '../styles/corpora.css';
import type { Health } from '../../../src/contracts/health.js';
import { formatBytes, formatCount, formatFigure, formatPercent } from '../../logic/format.js';
import { parsePrometheus, type Sample, sampleValue } from '../../logic/prometheus.js';
import { request, send } from '../api/request.js';
import { ProblemNotice } from '../components/problem-notice.js';
import { durationText } from '../state/duration.js';
import { t } from '../state/language.js';

const POLL_MS = 3000;

interface Found {
  readonly health: Health;
  readonly samples: readonly Sample[];
  /** Why the server cannot take requests; null when it can. */
  readonly trouble: unknown;
  /** When this was read, in milliseconds. */
  readonly time: number;
  /** What was read before; null at first. */
  readonly before: Pick<Found, 'samples' | 'time'> | null;
}

type Row = readonly [label: string, value: string];

/** What the server and its hosts run on, and how busy they are. */
export function MachinePage() {
  const found = useSignal<Found | null>(null);
  const failure = useSignal<unknown>(null);
  useEffect(() => {
    const abort = new AbortController();
    const read = async () => {
      const { signal } = abort;
      const [health, metrics, trouble] = await Promise.all([
        request<Health>('/healthz', { signal }),
        send('/metrics', { signal }).then((response) => response.text()),
        request('/readyz', { signal }).then(
          () => null,
          (error: unknown) => error,
        ),
      ]);
      const before = found.value && { samples: found.value.samples, time: found.value.time };
      found.value = { health, samples: parsePrometheus(metrics), trouble, time: performance.now(), before };
      failure.value = null;
    };
    const poll = () => {
      read().catch((error: unknown) => {
        if (!abort.signal.aborted) failure.value = error;
      });
    };
    poll();
    const timer = setInterval(poll, POLL_MS);
    return () => {
      clearInterval(timer);
      abort.abort();
    };
  }, []);
  const shown = found.value;
  return (
    <>
      <div class="page-head">
        <h1>{t('nav.machine')}</h1>
        <a href="docs/">{t('machine.docs')}</a>
      </div>
      {failure.value !== null && <ProblemNotice error={failure.value} />}
      {shown?.trouble != null && <ProblemNotice error={shown.trouble} />}
      {shown && (
        <div class="machine">
          <Card title={t('machine.server')} rows={serverRows(shown)} />
          <Card title={t('machine.whole')} rows={machineRows(shown)} />
          <Card title={t('machine.training')} rows={hostRows(shown, 'training')} />
          <Card title={t('machine.inference')} rows={hostRows(shown, 'inference')} />
        </div>
      )}
    </>
  );
}

function Card({ title, rows }: { readonly title: string; readonly rows: readonly Row[] }) {
  return (
    <section class="card card-body">
      <h2>{title}</h2>
      <dl>
        {rows.map(([label, value]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd class="number">{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

/** Part of one core that a process used between two readings. */
function loadOf({ samples, time, before }: Found, counter: string): string {
  const [now, then] = [samples, before?.samples ?? []].map((from) => sampleValue(from, counter));
  if (now == null || then == null || !before || now < then) return '–';
  return formatPercent(((now - then) * 1000) / (time - before.time));
}

function machineRows({ samples }: Found): Row[] {
  const value = (name: string) => sampleValue(samples, `gatelm_${name}`);
  const build = samples.find(({ name }) => name === 'gatelm_build_info')?.labels;
  const [total, free] = [value('machine_memory_bytes'), value('machine_free_memory_bytes')];
  return [
    [t('machine.cores'), formatCount(value('machine_cores'))],
    [t('machine.load'), formatFigure(value('machine_load'))],
    [t('machine.freeMemory'), `${formatBytes(free)} / ${formatBytes(total)}`],
    [t('machine.freeDisk'), formatBytes(value('data_free_bytes'))],
    [t('machine.platform'), build?.platform ?? '–'],
    [t('machine.node'), build?.node ?? '–'],
  ];
}

function serverRows(found: Found): Row[] {
  const { health, samples } = found;
  const delay = sampleValue(samples, 'gatelm_event_loop_delay_p99_seconds');
  return [
    [t('machine.version'), health.version],
    [t('machine.uptime'), durationText(health.uptimeSeconds)],
    [t('machine.memory'), formatBytes(sampleValue(samples, 'process_resident_memory_bytes'))],
    [t('machine.cpuLoad'), loadOf(found, 'process_cpu_seconds_total')],
    [t('machine.streams'), formatCount(sampleValue(samples, 'gatelm_streams'))],
    [t('machine.delay'), delay === null ? '–' : `${(delay * 1000).toFixed(1)} ms`],
  ];
}

function hostRows(found: Found, host: 'training' | 'inference'): Row[] {
  const { health, samples } = found;
  const { backend, processIds } = health[host];
  const slots: Row[] =
    host === 'training'
      ? [[t('machine.slots'), `${health.training.active.length} / ${health.training.slots}`]]
      : [];
  return [
    ...slots,
    [t('machine.backend'), backend?.backend ?? t('machine.notStarted')],
    [t('machine.kernels'), backend?.kernels ?? '–'],
    [t('machine.threads'), String(backend?.threads ?? '–')],
    [t('machine.cpu'), backend?.cpu ?? '–'],
    [t('machine.memory'), formatBytes(sampleValue(samples, `gatelm_${host}_resident_memory_bytes`))],
    [t('machine.cpuLoad'), loadOf(found, `gatelm_${host}_cpu_seconds`)],
    [t('machine.processes'), processIds.join(', ') || '–'],
    ...(backend?.notes ?? []).map((note, index): Row => [`${t('machine.note')} ${index + 1}`, note]),
  ];
}
