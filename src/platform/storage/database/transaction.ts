import {
  AbortedTransactionError,
  type CompiledQuery,
  type DatabaseConnection,
  type Driver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
  type RawBuilder,
} from 'kysely'
import pg from 'pg'
import type { Db } from './database.ts'
import { nameOf } from './name-statement.ts'
import { isOutdatedPlan } from './translate-error.ts'

export interface Scope {
  workspace: string
  operation: string
  readOnly: boolean
}

/** Gives a statement that is sent together with the COMMIT, after all others; when it fails, nothing is committed. */
export type AtCommit = (statement: RawBuilder<unknown>) => void

/**
 * A request waits for no lock longer than its client would, and a transaction that was forgotten ends by itself: while
 * it is open, nothing younger can be sealed.
 */
const limits = { lock_timeout: '15s', statement_timeout: '60s', idle_in_transaction_session_timeout: '60s' }

/**
 * One transaction of one workspace as `pave_app`. Role, workspace and limits are the transaction's own and travel with
 * its BEGIN in one message: there is no moment between them, nothing outlives the commit, and a pooler that lends the
 * session to somebody else for the next transaction lends nothing with it.
 */
export function inTransaction<T>(
  pool: pg.Pool,
  { workspace, operation, readOnly }: Scope,
  work: (db: Db, atCommit: AtCommit) => Promise<T>,
): Promise<T> {
  const settings = {
    role: 'pave_app',
    'app.workspace': workspace,
    'app.operation': operation,
    ...limits,
  }
  const sets = Object.entries(settings).map(([name, value]) => `set_config('${name}',${pg.escapeLiteral(value)},true)`)
  const opening = `begin${readOnly ? ' read only' : ''};select ${sets.join(',')}`
  const closing: CompiledQuery[] = []
  const createDriver = () => new TransactionDriver(pool, { opening, readOnly, closing })
  const db = new Kysely<unknown>({ dialect: { ...dialect, createDriver } })
  return db
    .transaction()
    .execute((transaction) => work(transaction, (statement) => void closing.push(statement.compile(db))))
}

const compiler = new PostgresQueryCompiler()
const adapter = new PostgresAdapter()
const dialect = {
  createQueryCompiler: () => compiler,
  createAdapter: () => adapter,
  createIntrospector: (db: Kysely<unknown>) => new PostgresIntrospector(db),
}

interface Transaction {
  opening: string
  closing: readonly CompiledQuery[]
  readOnly: boolean
}

class TransactionDriver implements Driver {
  readonly #pool: pg.Pool
  readonly #transaction: Transaction

  constructor(pool: pg.Pool, transaction: Transaction) {
    this.#pool = pool
    this.#transaction = transaction
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<Session> {
    return new Session(await this.#pool.connect(), this.#transaction)
  }

  beginTransaction(session: Session): Promise<void> {
    return session.begin()
  }

  commitTransaction(session: Session): Promise<void> {
    return session.commit()
  }

  rollbackTransaction(session: Session): Promise<void> {
    return session.rollback()
  }

  async releaseConnection(session: Session): Promise<void> {
    session.release()
  }

  async destroy(): Promise<void> {}
}

/**
 * A session for one transaction. Where it pipelines, BEGIN goes out with the first statement and COMMIT with the last, each
 * pair in one write: after a statement that failed the server refuses everything but the transaction's end.
 */
class Session implements DatabaseConnection {
  readonly #client: pg.PoolClient
  readonly #transaction: Transaction
  #opened: Promise<unknown> | undefined
  #broken = false

  constructor(client: pg.PoolClient, transaction: Transaction) {
    this.#client = client
    this.#transaction = transaction
  }

  async begin(): Promise<void> {
    if (this.#client.pipeline) return
    try {
      await this.#client.query(this.#transaction.opening)
    } catch (error) {
      // The BEGIN may have been carried out and the rest not.
      await this.rollback().catch(() => {})
      throw error
    }
  }

  async executeQuery<R>(statement: CompiledQuery): Promise<QueryResult<R>> {
    const { rows, rowCount } = await this.#inOneWrite(() => this.#send(statement))
    return { rows, numAffectedRows: BigInt(rowCount ?? 0) }
  }

  async commit(): Promise<void> {
    const { closing, readOnly } = this.#transaction
    if (!this.#client.pipeline) {
      for (const statement of closing) await this.#send(statement)
      return committed(await this.#client.query('commit'))
    }
    if (this.#opened === undefined && closing.length === 0) return
    const [commit, ...last] = this.#inOneWrite(() => {
      const sent = closing.map((statement) => this.#send(statement))
      return [this.#client.query('commit'), ...sent] as const
    })
    if (readOnly && closing.length === 0) {
      // Nothing was changed that an answer could claim: the session is as good as free.
      commit.catch(() => {})
      return
    }
    const ended = await Promise.allSettled([...last, commit])
    for (const one of ended) if (one.status === 'rejected') throw one.reason
    committed(await commit)
  }

  async rollback(): Promise<void> {
    if (this.#client.pipeline && this.#opened === undefined) return
    try {
      await this.#client.query('rollback')
    } catch (error) {
      this.#broken = true
      throw error
    }
  }

  release(): void {
    this.#client.release(this.#broken)
  }

  streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('What is long is read page by page')
  }

  #inOneWrite<T>(send: () => T): T {
    if (!this.#client.pipeline) return send()
    const { stream } = this.#client.connection
    stream.cork()
    try {
      if (this.#opened === undefined) {
        this.#opened = this.#client.query(this.#transaction.opening)
        // Whoever asks next is told.
        this.#opened.catch(() => {})
      }
      return send()
    } finally {
      stream.uncork()
    }
  }

  async #send({ sql: text, parameters }: CompiledQuery): Promise<pg.QueryResult> {
    // What is only read is asked with values that no plan made for all of them would suit.
    const name = this.#client.pipeline && !this.#transaction.readOnly ? nameOf(text) : undefined
    try {
      return await this.#client.query({ text, values: [...parameters], ...(name !== undefined && { name }) })
    } catch (error) {
      // Another session starts from what is there now.
      if (isOutdatedPlan(error)) this.#broken = true
      throw error
    } finally {
      // What kept it from beginning is the reason of whatever came of it.
      await this.#opened
    }
  }
}

function committed({ command }: pg.QueryResult): void {
  if (command === 'ROLLBACK') throw new AbortedTransactionError()
}
