import type { Analytics } from './analytics/duckdb.ts'
import type { Compute } from './compute/compute.ts'
import type { Config } from './config.ts'
import type { Egress } from './egress.ts'
import type { EntryProof } from './ledger/prove.ts'
import type { SearchSource } from './search-source.ts'
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
  /** That a leaf is in the ledger, up to a checkpoint signed now, which continues the ledger of `since` leaves. */
  proveLeaf(leaf: number, since: number | undefined): Promise<SignedProof>
  /** Of all modules, in the order of the lifecycle. */
  searchSources: readonly SearchSource[]
}

export interface SignedProof extends EntryProof {
  /** A signed note of origin, size and root. */
  checkpoint: string
  /** The key that signs, as in `keys/ledger.pub`. */
  key: string
  /** Undefined when nothing to compare was asked for, or the ledger has become shorter than it was. */
  consistency: { from: number; path: string[] } | undefined
}
