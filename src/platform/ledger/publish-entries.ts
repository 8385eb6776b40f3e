import type { Platform } from '../platform.ts'
import type { Entry } from './entry.ts'

/**
 * Tells this process's followers of events about each sealed entry, from the moment it started, and `onPublished` which
 * operations there was news of.
 */
export function publishEntries(
  platform: Platform,
  onPublished: (operations: ReadonlySet<string>) => void,
): { wake(): void; stop(): Promise<void> } {
  let next: number | undefined
  let running: Promise<void> | undefined
  let again = false

  async function publish(): Promise<void> {
    if (next === undefined) {
      const { rows } = await platform.systemPool.query<{ size: number }>('select size from ledger.head')
      next = rows[0]?.size ?? 0
      return
    }
    const { rows } = await platform.systemPool.query<{ ix: number; body: string }>(
      'select l.ix, e.body from ledger.leaf l join ledger.entry e on e.seq = l.seq where l.ix >= $1 order by l.ix limit 500',
      [next],
    )
    const operations = new Set<string>()
    for (const { ix, body } of rows) {
      const entry: Entry = JSON.parse(body)
      next = ix + 1
      operations.add(entry.operation)
      platform.events.emit({
        workspace: entry.workspace,
        type: 'entry',
        data: {
          leaf: ix,
          id: entry.id,
          at: entry.at,
          operation: entry.operation,
          outcome: entry.outcome,
          subjects: entry.subjects,
        },
      })
    }
    if (rows.length === 500) again = true
    if (operations.size > 0) onPublished(operations)
  }

  async function run(): Promise<void> {
    do {
      again = false
      await publish().catch((error) => platform.log.debug({ err: error }, 'entries could not be published'))
    } while (again)
    running = undefined
  }

  const wake = () => {
    if (running === undefined) running = run()
    else again = true
  }
  wake()
  return { wake, stop: async () => running }
}
