/** Statistics of the processes of a host on this machine. */
export interface HostStats {
  readonly processIds: readonly number[];
  /** Resident memory at their last heartbeat. */
  readonly residentBytes: number;
  /** Processor time until then, of all threads of the processes that there are now. */
  readonly cpuSeconds: number;
}
