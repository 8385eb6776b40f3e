import { DuckDBInstance } from '@duckdb/node-api'
import pg from 'pg'
import { createTestDatabase } from '#testing/postgres.ts'
import { type ArbitraryRow, arbitraryVariables } from './arbitrary-expression.ts'

/** For tests: a database with the rows in a table `edges`, whose columns are `arbitraryVariables`. */
export interface SqlEngine {
  /** The values of some SQL expressions for every row of a source, by expression and then by row. */
  answer(expressions: readonly string[], source?: string): Promise<unknown[][]>
  close(): Promise<void>
}

const columns = Object.keys(arbitraryVariables)
const edges = '(SELECT * FROM edges ORDER BY id) AS edges'

export async function openDuckdb(rows: readonly ArbitraryRow[]): Promise<SqlEngine> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  await connection.run(
    'CREATE TABLE edges (id INTEGER, i BIGINT, j BIGINT, x DOUBLE, y DOUBLE, s VARCHAR, r VARCHAR, p BOOLEAN, q BOOLEAN, t TIMESTAMP, u TIMESTAMP)',
  )
  const tuples = valuesOf(rows).map((values, id) => `(${id}, ${values.map(writeDuckdb).join(', ')})`)
  await connection.run(`INSERT INTO edges VALUES ${tuples.join(', ')}`)
  return {
    async answer(expressions, source = edges) {
      const reader = await connection.runAndReadAll(`SELECT ${expressions.join(', ')} FROM ${source}`)
      return reader.getColumnsJS().map((column) => column.map(canonical))
    },
    async close() {
      connection.closeSync()
      instance.closeSync()
    },
  }
}

export async function openPostgres(rows: readonly ArbitraryRow[]): Promise<SqlEngine> {
  const database = await createTestDatabase()
  const client = new pg.Client({ connectionString: database.url })
  await client.connect()
  await client.query(
    'CREATE TABLE edges (id integer, i bigint, j bigint, x float8, y float8, s text, r text, p boolean, q boolean, t timestamptz, u timestamptz)',
  )
  for (const [id, values] of valuesOf(rows).entries()) {
    const given = values.map((value) => (value instanceof Date ? value.toISOString() : value))
    await client.query('INSERT INTO edges VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)', [id, ...given])
  }
  return {
    async answer(expressions, source = edges) {
      const text = `SELECT ${expressions.join(', ')} FROM ${source}`
      const result = await client.query<unknown[]>({ text, rowMode: 'array' })
      return result.fields.map(({ dataTypeID }, index) =>
        result.rows.map((row) => canonical(dataTypeID === pg.types.builtins.INT8 ? toBigInt(row[index]) : row[index])),
      )
    },
    async close() {
      await client.end()
      await database.drop()
    },
  }
}

function valuesOf(rows: readonly ArbitraryRow[]): unknown[][] {
  return rows.map((row) => {
    const byName: Record<string, unknown> = row
    return columns.map((name) => byName[name])
  })
}

function writeDuckdb(value: unknown): string {
  if (value instanceof Date) return `make_timestamp_ms(${value.getTime()})`
  if (typeof value === 'string') return `'${value.replaceAll("'", "''")}'`
  return value === null ? 'NULL' : `'${value}'`
}

function toBigInt(value: unknown): unknown {
  return typeof value === 'string' ? BigInt(value) : value
}

/** What the answers of all engines can be compared by. */
export function canonical(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value)
  return value instanceof Date ? value.toISOString() : value
}
