/** A reference to an object in the ledger. */
export interface Subject {
  kind: string
  id: string
}

/** What `ledger.entry.body` holds, as canonical JSON; additions are allowed, removals and renames are not. */
export interface Entry {
  version: 1
  id: string
  at: string
  workspace: string
  actor: { kind: string; id: string }
  onBehalfOf?: string
  operation: string
  outcome: 'done' | 'pending' | 'refused' | 'failed'
  errorCode?: string
  subjects: Subject[]
  lineage?: { inputs: Subject[]; outputs: Subject[] }
  inputDigest: string
  before?: string
  after?: string
  traceId?: string
  facts?: Record<string, unknown>
}
