import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { Pool, PoolClient } from 'pg'
import { createTestDatabase } from '#testing/postgres.ts'
import { canonicalJson } from '../canonical-json.ts'
import { openPool } from '../storage/database/database.ts'
import { migrate } from '../storage/database/migrate.ts'
import type { Entry } from './entry.ts'
import type { Tree } from './merkle.ts'
import { sealOnce } from './seal.ts'
import { createSigningKey, type SigningKey } from './signing-key.ts'

/** A database with a ledger, for tests: `owner` may do anything to it, `system` is what the sealer gets. */
export interface TestLedger {
  url: string
  owner: Pool
  system: Pool
  client: PoolClient
  directory: string
  checkpointsFile: string
  key: SigningKey
  /** Appends and commits so many entries, each in a transaction of its own, and waits until they can be sealed. */
  append(count: number): Promise<void>
  /** Seals everything and exports a checkpoint of it. */
  seal(): Promise<Tree>
  drop(): Promise<void>
}

export async function openTestLedger(): Promise<TestLedger> {
  const database = await createTestDatabase({
    template: { name: 'kernel', build: async (url) => void (await migrate(url, [])) },
  })
  const onError = () => {}
  const owner = openPool(database.url, undefined, { max: 12, onError })
  const system = openPool(database.url, 'pave_system', { max: 4, onError })
  const client = await system.connect()
  const directory = await mkdtemp(join(tmpdir(), 'ledger-'))
  const checkpointsFile = join(directory, 'checkpoints.log')
  const key = createSigningKey()
  let appended = 0
  let trusted: Tree | undefined
  return {
    url: database.url,
    owner,
    system,
    client,
    directory,
    checkpointsFile,
    key,
    async append(count) {
      for (let left = count; left > 0; left -= 1) {
        appended += 1
        await appendTo(owner, entryNumber(appended))
      }
      await untilFinal(owner)
    },
    async seal() {
      await untilFinal(owner)
      for (;;) {
        const result = await sealOnce(client, { key, exportTo: checkpointsFile, limit: 1000, exportAfter: 1, trusted })
        trusted = result.trusted
        if (result.sealed === 0) return trusted
      }
    },
    async drop() {
      client.release()
      await Promise.all([owner.end(), system.end()])
      await database.drop()
      await rm(directory, { recursive: true })
    },
  }
}

/** Transactions in other databases of the cluster, those of other tests, hold up sealing as well. */
async function untilFinal(client: Pool): Promise<void> {
  for (;;) {
    const { rows } = await client.query<{ final: boolean }>(
      'select coalesce(max(xid) < pg_snapshot_xmin(pg_current_snapshot()), true) as final from ledger.entry',
    )
    if (rows[0]?.final === true) return
    await setTimeout(5)
  }
}

export async function appendTo(client: Pool | PoolClient, entry: Entry): Promise<void> {
  await client.query(
    `with appended as (
       insert into ledger.entry (workspace, id, at, operation, body) values ($1, $2, $3, $4, $5)
     ) insert into ledger.subject (workspace, entry, role, kind, id)
       select $1, $2, 'subject', s.kind, s.id from jsonb_to_recordset($6::jsonb) as s (kind text, id text)`,
    [entry.workspace, entry.id, entry.at, entry.operation, canonicalJson(entry), JSON.stringify(entry.subjects)],
  )
}

/** Bodies hold what breaks careless line readers: line separators, quotes, letters beyond ASCII. */
export function entryNumber(number: number): Entry {
  return {
    version: 1,
    id: `00000000-0000-7000-8000-${String(number).padStart(12, '0')}`,
    at: new Date(1_000_000_000_000 + number).toISOString(),
    workspace: '00000000-0000-7000-8000-00000000000a',
    actor: { kind: 'user', id: 'a' },
    operation: 'register-version',
    outcome: 'done',
    subjects: [{ kind: 'version', id: `flight-delays@${number}` }],
    inputDigest: 'sha256:00',
    facts: { note: `“${number}”\u2028\n"é\\` },
  }
}
