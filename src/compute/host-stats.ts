/** Statistics of the processes of a host on this machine. */
export interface HostStats {
  readonly processIds: readonly number[];
  /** Resident memory at their last heartbeat. */
  readonly residentBytes: number;
}

export const NO_PROCESSES: HostStats = { processIds: [], residentBytes: 0 };
