import type { Db } from './storage/database/database.ts'

/** Objects of one kind, found by what people remember of them: a piece of the name, an id, a description. */
export interface SearchSource {
  /** Of the ledger's subjects: `model`, `incident`. */
  kind: string
  /** The verb that its readers need, `model:read`. */
  verb: string
  /** `pattern` is an escaped ILIKE pattern (`%late%`). The best first. */
  find(db: Db, pattern: string, limit: number): Promise<SearchHit[]>
}

export interface SearchHit {
  /** As in ledger subjects. */
  id: string
  title: string
  /** One line; may be empty. */
  detail: string
  /** What a permission names it by, for callers who may read a part of the workspace: `{ model: 'churn' }`. */
  object?: Record<string, string>
}
