-- Number of the last event of the present attempt that was recorded: what is sent again is not recorded again.
ALTER TABLE experiments ADD COLUMN run_seq INTEGER NOT NULL DEFAULT 0;
