import { totalmem } from "node:os";

/** The server's settings, passed on its command line so that a data folder keeps none of an older version. */
export function serverSettings(run: string, version: string, memory: number = availableMemory()): string[] {
  const megabytes = Math.floor(memory / 2 ** 20);
  const settings: Record<string, string | number> = {
    // The name tells which version of the package runs.
    cluster_name: `posthorn/${version}`,
    listen_addresses: "",
    port: 5432,
    unix_socket_directories: run,
    unix_socket_permissions: "0700",
    max_connections: 160,

    // An acknowledged commit must survive a power cut.
    fsync: "on",
    synchronous_commit: "on",
    full_page_writes: "on",
    // For backups, which keep the log by a slot: one that nobody advances gives up the log again.
    wal_level: "replica",
    max_wal_senders: 0,
    max_slot_wal_keep_size: "4GB",
    idle_replication_slot_timeout: "8d",
    max_logical_replication_workers: 0,
    // The packaged build lacks lz4.
    wal_compression: "pglz",
    max_wal_size: "1GB",
    min_wal_size: "128MB",
    checkpoint_timeout: "15min",
    checkpoint_completion_target: 0.9,

    shared_buffers: megabytes >= 4096 ? "256MB" : "128MB",
    effective_cache_size: `${Math.max(256, Math.floor(megabytes / 2))}MB`,
    work_mem: "8MB",
    maintenance_work_mem: "64MB",
    random_page_cost: 1.1,
    jit: "off",
    // Statements are short, and a container's /dev/shm is often too small for parallel ones.
    max_parallel_workers_per_gather: 0,
    max_parallel_maintenance_workers: 0,

    // Flags and counters change all day; the defaults wait until a fifth of a table is dead rows.
    autovacuum_naptime: "20s",
    autovacuum_vacuum_scale_factor: 0.05,
    autovacuum_vacuum_insert_scale_factor: 0.05,
    autovacuum_analyze_scale_factor: 0.02,
    autovacuum_vacuum_cost_limit: 1000,

    timezone: "UTC",
    log_timezone: "UTC",
    log_line_prefix: "%m [%p] ",
    // Logs starts, stops and crashes only. Errors go to the client; logged here, they would put mail addresses in a file.
    log_min_messages: "log",
    log_min_error_statement: "panic",
    log_checkpoints: "off",
    log_autovacuum_min_duration: -1,
  };
  return Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
}

/** A container may often use less memory than the machine has. */
function availableMemory(): number {
  return Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY);
}
