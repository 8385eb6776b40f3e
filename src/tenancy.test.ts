import { sql } from 'kysely'
import pg from 'pg'
import { afterAll, describe, expect, test } from 'vitest'
import type { Role } from '#platform/storage/database/database.ts'
import { createTestPlatform } from './testing/platform.ts'

// Found in the catalog rather than listed, so that a new module's tables are held to it from their first day.

const suite = await createTestPlatform()
const clients: pg.Client[] = []
afterAll(async () => {
  for (const client of clients) await client.end()
  await suite.drop()
})

async function connect(role?: Role): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: suite.databaseUrl, ...(role && { options: `-c role=${role}` }) })
  client.on('error', () => {})
  await client.connect()
  clients.push(client)
  return client
}

const owner = await connect()
const app = await connect('pave_app')
const notOurs = `n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast', 'jobs')`

const { rows: tables } = await owner.query<{
  name: string
  workspace: boolean
  rls: boolean
  forced: boolean
  policies: string[]
}>(`
  select format('%I.%I', n.nspname, c.relname) as name, c.relrowsecurity as rls, c.relforcerowsecurity as forced,
    exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'workspace' and not a.attisdropped) as workspace,
    array(select pg_get_expr(p.polqual, p.polrelid) || ' / ' || coalesce(pg_get_expr(p.polwithcheck, p.polrelid), '')
          from pg_policy p where p.polrelid = c.oid) as policies
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p') and ${notOurs} order by 1
`)
const tenants = tables.filter((table) => table.workspace).map((table) => table.name)

/** What belongs to no tenant, each with its reason. */
const shared = [
  /\.migration(_lock)?$/, // the migrator's own
  /^platform\.withdrawn_object$/, // digests of bytes that are gone from the store, which is one for all workspaces
  /^ledger\.(leaf|head|cursor|signer)$/, // hashes, positions and a public key, of all workspaces alike
]

test('the catalog shows tables of every module', () => {
  const schemas = new Set(tenants.map((name) => name.split('.')[0]))
  for (const module of ['identity', 'registry', 'governance', 'releases', 'datasets', 'ledger', 'platform']) {
    expect(schemas).toContain(module)
  }
})

test('every table is a tenant’s, or is known to be nobody’s', () => {
  const unknown = tables.filter((table) => !table.workspace && !shared.some((one) => one.test(table.name)))
  expect(unknown.map((table) => table.name)).toEqual([])
})

describe.each(tenants)('%s', (name) => {
  const table = tables.find((one) => one.name === name)

  test('is under row-level security by workspace, for reading and for writing', () => {
    expect(table?.rls).toBe(true)
    expect(table?.policies).toHaveLength(1)
    const [using, check] = (table?.policies[0] ?? '').split(' / ')
    expect(using).toMatch(/^\(workspace = /)
    expect(check).toBe(using)
  })

  test('shows the app role nothing without a workspace', async () => {
    expect((await app.query(`select count(*)::int as n from ${name}`)).rows).toEqual([{ n: 0 }])
  })

  test('takes no change without an operation', async () => {
    await app.query('begin')
    await app.query(`select set_config('app.workspace', $1, true)`, [suite.workspace])
    const attempt = app.query(`delete from ${name}`).catch((error) => error.code)
    // Refused by the trigger, or because the role may not delete at all.
    expect(['PV001', '42501']).toContain(await attempt)
    await app.query('rollback')
  })
})

test('the app role sees the rows of the workspace that it names and of no other', async () => {
  const see = async (workspace: string) => {
    await app.query('begin read only')
    await app.query(`select set_config('app.workspace', $1, true)`, [workspace])
    const { rows } = await app.query<{ n: number }>('select count(*)::int as n from ledger.entry')
    await app.query('commit')
    return rows[0]?.n ?? 0
  }
  expect(await see(suite.workspace)).toBeGreaterThan(0)
  expect(await see(suite.platform.ids.next())).toBe(0)
})

test('the app role cannot write into another workspace', async () => {
  await app.query('begin')
  await app.query(`select set_config('app.workspace', $1, true), set_config('app.operation', $1, true)`, [
    suite.workspace,
  ])
  const attempt = app.query(
    `insert into identity.workspace (workspace, name, created_at) values ($1, 'theirs', now())`,
    [suite.platform.ids.next()],
  )
  await expect(attempt).rejects.toMatchObject({ code: '42501' })
  await app.query('rollback')
})

test.each([
  ['update ledger.entry set body = body', 'pave_app'],
  ['delete from ledger.entry', 'pave_app'],
  ['truncate ledger.entry', 'pave_app'],
  ['insert into ledger.entry (xid) values (pg_current_xact_id())', 'pave_app'],
  ['update ledger.subject set id = id', 'pave_app'],
  ['insert into ledger.leaf (ix, seq, hash) values (1, 1, $$x$$)', 'pave_app'],
  ['update registry.version set digest = digest', 'pave_app'],
  ['delete from registry.version', 'pave_app'],
  ['update ledger.entry set body = body', 'pave_system'],
  ['delete from ledger.leaf', 'pave_system'],
  ['update ledger.leaf set hash = hash', 'pave_system'],
  ['insert into identity.token default values', 'pave_system'],
  ['delete from platform.pending_operation', 'pave_system'],
  ['select 1 from identity.token', 'pave_jobs'],
] as const)('%s is refused to %s', async (statement, role) => {
  const client = role === 'pave_app' ? app : await connect(role)
  await client.query('begin')
  await client.query(`select set_config('app.workspace', $1, true), set_config('app.operation', $1, true)`, [
    suite.workspace,
  ])
  await expect(client.query(statement)).rejects.toMatchObject({ code: '42501' })
  await client.query('rollback')
})

test('foreign keys between tenants’ tables hold the workspace, which plain ones would cross', async () => {
  const { rows } = await owner.query<{ name: string; crosses: boolean }>(`
    select format('%s: %s', k.conrelid::regclass, k.conname) as name,
      not exists (
        select from unnest(k.conkey, k.confkey) as pair (ours, theirs)
        join pg_attribute a on a.attrelid = k.conrelid and a.attnum = pair.ours
        join pg_attribute b on b.attrelid = k.confrelid and b.attnum = pair.theirs
        where a.attname = 'workspace' and b.attname = 'workspace') as crosses
    from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
    where k.contype = 'f' and ${notOurs}
  `)
  expect(rows.length).toBeGreaterThan(5)
  expect(rows.filter((row) => row.crosses).map((row) => row.name)).toEqual([])
})

test('unique constraints hold the workspace, so that no tenant can tell what another has', async () => {
  const { rows } = await owner.query<{ name: string; columns: string[] }>(
    `
    select c.relname as name, array(select a.attname::text from pg_attribute a where a.attrelid = i.indrelid and a.attnum = any(i.indkey)) as columns
    from pg_index i join pg_class c on c.oid = i.indexrelid join pg_class t on t.oid = i.indrelid
    join pg_namespace n on n.oid = t.relnamespace
    where i.indisunique and ${notOurs} and format('%I.%I', n.nspname, t.relname) = any($1)
  `,
    [tenants],
  )
  const open = rows.filter((row) => !row.columns.includes('workspace')).map((row) => row.name)
  // Ids and hashes that nobody can guess, and the names of workspaces, which their founder alone chooses.
  const unguessable = [
    'entry_pkey',
    'entry_id_key',
    'subject_pkey',
    'token_hash_key',
    'sign_in_link_hash_key',
    'join_token_hash_key',
    'workspace_name_key',
  ]
  expect(open.filter((name) => !unguessable.includes(name))).toEqual([])
})

test('the app’s transactions wait for no lock, and for no statement, for ever', async () => {
  const { rows } = await suite.platform.read(suite.workspace, (db) =>
    sql`
      select current_user as role, current_setting('lock_timeout') as lock, current_setting('statement_timeout') as statement,
             current_setting('idle_in_transaction_session_timeout') as idle
    `.execute(db),
  )
  expect(rows).toEqual([{ role: 'pave_app', lock: '15s', statement: '1min', idle: '1min' }])
})
