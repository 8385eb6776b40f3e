import { DuckDBInstance } from '@duckdb/node-api'
import fc from 'fast-check'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ArbitraryRow, arbitraryExpression, arbitraryRow, arbitraryVariables } from './arbitrary-expression.ts'
import { checkExpression } from './check-expression.ts'
import { compileToSql } from './compile-to-sql.ts'
import { evaluate } from './evaluate-expression.ts'
import type { CheckedExpression } from './tree.ts'

interface Engine {
  load(rows: readonly ArbitraryRow[]): Promise<void>
  answer(sql: string): Promise<unknown[]>
  close(): Promise<void>
}

const rows = fc.sample(arbitraryRow, { numRuns: 60, seed: 7 })
const columns = ['i', 'j', 'x', 'y', 's', 'r', 'p', 'q', 't', 'u'] as const
const query = (sql: string) => `SELECT ${sql} AS answer FROM edges ORDER BY id`
const names = { column: (path: string) => `"${path}"` }

async function openDuckdb(): Promise<Engine> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  return {
    async load(all) {
      await connection.run(
        'CREATE TABLE edges (id INTEGER, i BIGINT, j BIGINT, x DOUBLE, y DOUBLE, s VARCHAR, r VARCHAR, p BOOLEAN, q BOOLEAN, t TIMESTAMP, u TIMESTAMP)',
      )
      for (const [id, row] of all.entries()) {
        const values = columns.map((name) => toDuckdb(row[name]))
        await connection.run(`INSERT INTO edges VALUES (${id}, ${values.join(', ')})`)
      }
    },
    async answer(sql) {
      const reader = await connection.runAndReadAll(query(sql))
      return reader.getRowsJS().map(([answer]) => answer)
    },
    async close() {
      connection.closeSync()
      instance.closeSync()
    },
  }
}

function toDuckdb(value: unknown): string {
  if (value === null) return 'NULL'
  if (value instanceof Date) return `make_timestamp_ms(${value.getTime()})`
  if (typeof value === 'string') return `'${value.replaceAll("'", "''")}'`
  return typeof value === 'number' ? `'${value}'` : `${value}`
}

async function openPostgres(): Promise<Engine> {
  const client = new pg.Client({ host: '/tmp/pave/cel/pg', user: 'postgres', database: 'postgres' })
  await client.connect()
  return {
    async load(all) {
      await client.query(
        'CREATE TEMP TABLE edges (id integer, i bigint, j bigint, x float8, y float8, s text, r text, p boolean, q boolean, t timestamptz, u timestamptz)',
      )
      for (const [id, row] of all.entries()) {
        const values = columns.map((name) => toPostgres(row[name]))
        await client.query('INSERT INTO edges VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)', [id, ...values])
      }
    },
    async answer(sql) {
      const result = await client.query<{ answer: unknown }>(query(sql))
      const isInt = result.fields[0]?.dataTypeID === pg.types.builtins.INT8
      return result.rows.map(({ answer }) => (isInt && typeof answer === 'string' ? Number(answer) : answer))
    },
    async close() {
      await client.end()
    },
  }
}

function toPostgres(value: unknown): unknown {
  return value instanceof Date ? value.toISOString() : value
}

/** What all engines can be compared by. */
function canonical(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value)
  if (value instanceof Date) return value.toISOString()
  return value
}

function inProcess(checked: CheckedExpression): unknown[] {
  return rows.map((row) => {
    const result = evaluate(checked, row)
    return result.ok ? canonical(result.value) : null
  })
}

describe.each([
  ['duckdb', openDuckdb],
  ['postgres', openPostgres],
] as const)('%s', (dialect, open) => {
  let engine: Engine
  beforeAll(async () => {
    engine = await open()
    await engine.load(rows)
  })
  afterAll(() => engine.close())

  test('gives what evaluating in process gives', async () => {
    const property = fc.asyncProperty(arbitraryExpression, async (text) => {
      const checked = checkExpression(text, arbitraryVariables)
      fc.pre(checked.portable)
      const answers = await engine.answer(compileToSql(checked, dialect, names))
      expect(answers.map(canonical)).toEqual(inProcess(checked))
    })
    await fc.assert(property, {
      numRuns: Number(process.env.RUNS ?? 200),
      ...(process.env.SEED ? { seed: Number(process.env.SEED) } : {}),
    })
  })
})
