/** What PostgreSQL runs with, whatever its configuration file says; a database with other needs is a DATABASE_URL. */
export const serverSettings = {
  // Only who can enter the directory of the socket can connect at all.
  listen_addresses: '',
  unix_socket_permissions: '0700',

  max_connections: '60',
  shared_buffers: '128MB',
  io_method: 'sync',
  max_wal_size: '512MB',
  wal_compression: 'on',
  jit: 'off',
  // Parallel queries gain little on a small machine, and containers seldom have the shared memory that they take.
  max_parallel_workers_per_gather: '0',
  max_parallel_maintenance_workers: '0',
  max_logical_replication_workers: '0',
  max_worker_processes: '2',
  autovacuum_max_workers: '2',
  autovacuum_worker_slots: '2',

  // A forgotten transaction would hold back vacuum and the sealing of the ledger.
  idle_in_transaction_session_timeout: '60s',

  // Pave starts it again, after a crash of one process as after one of all.
  restart_after_crash: 'off',

  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',

  timezone: 'UTC',
  log_timezone: 'UTC',
  log_line_prefix: '%m [%p] ',
  log_checkpoints: 'off',
  // Statements and the details of errors quote values, which may be personal data; the caller is told them anyway.
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
}

export type ServerSettings = Partial<Record<keyof typeof serverSettings, string>>
