import { openPool } from '#platform/storage/database/database.ts'
import { type Measurement, median, type Timing, time } from '../measurement.ts'
import type { BenchPave } from './start-pave.ts'
import { addThing } from './things.ts'

const rounds = 9
const calls = 200

/**
 * A write through `runOperation` (parse, authorize, transaction, row-level security, ledger entry, output check) beside
 * the same row inserted by a statement that is its own transaction, on a pool with the same settings. One caller.
 */
export async function writeOperation({
  controlPlane: { platform },
  databaseUrl,
  actor,
}: BenchPave): Promise<Measurement[]> {
  const pool = openPool(databaseUrl, 'pave_app', { max: 12, onError: () => {} })
  const input = { thing: 'a thing of some length', weight: 0.25, tags: ['one', 'two'] }
  const ours = () => platform.run(addThing, { actor, input })
  const bare = () =>
    pool.query(
      'insert into things.bare_thing (workspace, id, thing, weight, tags, at) values ($1, $2, $3, $4, $5::jsonb, $6)',
      [
        actor.workspace,
        platform.ids.next(),
        input.thing,
        input.weight,
        JSON.stringify(input.tags),
        platform.clock.iso(),
      ],
    )
  try {
    await time(calls, ours)
    await time(calls, bare)
    const pairs: Array<{ ours: Timing; bare: Timing }> = []
    for (let round = 0; round < rounds; round++)
      pairs.push({ bare: await time(calls, bare), ours: await time(calls, ours) })
    const measure = (name: string, of: (timing: Timing) => number, most: number): Measurement => {
      const added = median(pairs.map((pair) => of(pair.ours) - of(pair.bare)))
      return {
        name,
        unit: 'ms',
        ours: median(pairs.map((pair) => of(pair.ours))),
        peer: { name: 'bare INSERT', value: median(pairs.map((pair) => of(pair.bare))) },
        limit: { text: `${added.toFixed(2)} added, at most ${most}`, met: added <= most },
      }
    }
    return [
      measure('write operation', (timing) => timing.wall, 1.5),
      measure('write operation, CPU', (timing) => timing.cpu, 0.5),
    ]
  } finally {
    await pool.end()
  }
}
