import type { Experiment } from '../../../src/contracts/experiment.js';
import type { LiveEvent } from '../../logic/live-events.js';
import { addressOf } from './address.js';
import { apiKey } from './key.js';
import { request } from './request.js';

/** live: events come; waiting: the connection is lost, and tried again; ended: no event comes any more. */
export type FollowStatus = 'connecting' | 'live' | 'waiting' | 'ended';

export interface ProgressFollower {
  /** Number of the last event that is known, asked for at each connection. */
  since(): number;
  onSnapshot(experiment: Experiment): void;
  onEvent(event: LiveEvent): void;
  onStatus(status: FollowStatus): void;
}

/** Close code of a stream whose last event was sent. */
const NORMAL = 1000;
/** The server sends a heartbeat each 15 s unless it is set otherwise. */
const SILENCE_MS = 40_000;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 8000;

/** Follows an experiment; comes back by itself when the connection is lost, and misses nothing. @returns stops it */
export function followProgress(id: string, follower: ProgressFollower): () => void {
  let socket: WebSocket | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let silence: ReturnType<typeof setTimeout> | undefined;
  let wait = FIRST_WAIT_MS;
  let isStopped = false;

  async function connect(): Promise<void> {
    follower.onStatus('connecting');
    try {
      const query = new URLSearchParams({ since: String(follower.since()) });
      if (apiKey.value !== null) {
        const { ticket } = await request<{ ticket: string }>('/tickets', { method: 'POST' });
        query.set('ticket', ticket);
      }
      if (isStopped) return;
      open(addressOf(`/experiments/${encodeURIComponent(id)}/progress?${query}`).replace(/^http/, 'ws'));
    } catch {
      comeBack();
    }
  }

  function open(address: string): void {
    const opened = new WebSocket(address);
    socket = opened;
    opened.onmessage = ({ data }) => {
      if (socket !== opened) return;
      listen();
      wait = FIRST_WAIT_MS;
      take(JSON.parse(String(data)));
    };
    opened.onclose = ({ code }) => {
      if (socket !== opened) return;
      socket = null;
      clearTimeout(silence);
      if (code === NORMAL) follower.onStatus('ended');
      else comeBack();
    };
    listen();
  }

  function take(message: { type: string } & Record<string, unknown>): void {
    if (message.type === 'snapshot') {
      follower.onStatus('live');
      follower.onSnapshot(message.experiment as Experiment);
    } else if (message.type !== 'heartbeat') follower.onEvent(message as unknown as LiveEvent);
  }

  /** A connection that says nothing for too long is as good as lost. */
  function listen(): void {
    clearTimeout(silence);
    silence = setTimeout(() => {
      drop();
      comeBack();
    }, SILENCE_MS);
  }

  function comeBack(): void {
    if (isStopped) return;
    follower.onStatus('waiting');
    clearTimeout(timer);
    timer = setTimeout(() => void connect(), wait);
    wait = Math.min(2 * wait, LONGEST_WAIT_MS);
  }

  function drop(): void {
    clearTimeout(silence);
    const dropped = socket;
    socket = null;
    dropped?.close();
  }

  function onOnline(): void {
    if (socket !== null || isStopped) return;
    clearTimeout(timer);
    wait = FIRST_WAIT_MS;
    void connect();
  }

  addEventListener('online', onOnline);
  void connect();
  return () => {
    isStopped = true;
    clearTimeout(timer);
    removeEventListener('online', onOnline);
    drop();
  };
}
