import type { Analytics } from './analytics/duckdb.ts'
import type { Compute } from './compute/compute.ts'
import type { Config } from './config.ts'
import type { Egress } from './egress.ts'
import type { ObjectStore } from './storage/objects/object-store.ts'
import type { OnlineStore } from './storage/online/online-store.ts'
import type { ServerTls } from './tls/server-tls.ts'

/** The parts that handlers and jobs may use besides their transaction. */
export interface Services {
  config: Config & { dataDir: string }
  objects: ObjectStore
  analytics: Analytics
  online: OnlineStore
  compute: Compute
  egress: Egress
  /** The certificate that this process serves with. */
  tls: ServerTls | undefined
  /** Writes the sealed ledger to a file in the data directory. */
  exportLedger(): Promise<{ entries: number; path: string }>
  /** Recomputes the ledger of every workspace against the exported checkpoints. */
  verifyLedger(): Promise<{
    entries: number
    verified: boolean
    checkpoints: number
    problems: string[]
    statements: string[]
  }>
}
