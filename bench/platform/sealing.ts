import { openPool } from '#platform/storage/database/database.ts'
import { type Measurement, median } from '../measurement.ts'
import type { BenchPave } from './start-pave.ts'

const rounds = 3
const entries = 20_000
const least = 2000

/** How fast the running sealer takes up entries that became final all at once: copies of the last one written. */
export async function sealing({ controlPlane, databaseUrl }: BenchPave): Promise<Measurement[]> {
  const pool = openPool(databaseUrl, undefined, { max: 1, onError: () => {} })
  try {
    const rates: number[] = []
    for (let round = 0; round < rounds; round++) {
      await controlPlane.flushLedger()
      const sealedBefore = await sizeOf()
      await pool.query(
        `insert into ledger.entry (workspace, id, at, operation, body)
         select last.workspace, fresh.id, last.at, last.operation, replace(last.body, last.id::text, fresh.id::text)
         from (select * from ledger.entry order by seq desc limit 1) as last,
              (select gen_random_uuid() as id from generate_series(1, $1)) as fresh`,
        [entries],
      )
      const started = performance.now()
      while ((await sizeOf()) < sealedBefore + entries) await controlPlane.flushLedger()
      rates.push(entries / ((performance.now() - started) / 1000))
    }
    const ours = median(rates)
    return [{ name: 'sealing', unit: 'entries/s', ours, limit: { text: `at least ${least}`, met: ours >= least } }]
  } finally {
    await pool.end()
  }

  async function sizeOf(): Promise<number> {
    const { rows } = await pool.query<{ size: number }>('select size from ledger.head')
    return rows[0]?.size ?? 0
  }
}
