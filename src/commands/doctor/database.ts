import { knownMigrations } from '#platform/backup/restore-backup.ts'
import { isUnfinishedDatabase } from '#platform/backup/unfinished-restore.ts'
import { moduleMigrations } from '../backup.ts'
import { type Check, type Finding, fail, ok, type SiteWithDatabase, warn } from './check.ts'

const leastPostgres = 150_000
const skewWarnMs = 2_000
const skewFailMs = 30_000

export const databaseChecks: Check[] = [
  { name: 'database', database: true, look: lookAtServer },
  { name: 'roles', database: true, look: lookAtRoles },
  { name: 'migrations', database: true, look: lookAtMigrations },
  { name: 'clock', database: true, look: lookAtClock },
]

async function lookAtServer({ database, config }: SiteWithDatabase): Promise<Finding[]> {
  const { rows } = await database.query<{
    number: number
    version: string
    ssl: boolean
    local: boolean
    used: number
    most: number
  }>(
    `select current_setting('server_version_num')::int as number, current_setting('server_version') as version,
       coalesce((select ssl from pg_stat_ssl where pid = pg_backend_pid()), false) as ssl,
       coalesce(inet_server_addr() is null or inet_server_addr() << '127.0.0.0/8' or inet_server_addr() = '::1', true) as local,
       (select count(*)::int from pg_stat_activity where backend_type = 'client backend') as used,
       current_setting('max_connections')::int as most`,
  )
  const [server] = rows
  if (server === undefined) return []
  const findings: Finding[] = []
  if (server.number < leastPostgres) {
    findings.push(
      fail(
        'database-old',
        `This is PostgreSQL ${server.version}`,
        'Pave needs 15 or newer',
        'pave backup --to PLACE, and restore into a newer PostgreSQL',
      ),
    )
  }
  if (config.databaseUrl !== undefined && !server.local && !server.ssl) {
    findings.push(
      warn(
        'database-without-tls',
        'Sessions with PostgreSQL cross the network without TLS',
        'Passwords, tokens and data can be read on the way',
        'add ?sslmode=verify-full to DATABASE_URL',
      ),
    )
  }
  if (server.used > server.most * 0.9) {
    findings.push(
      warn(
        'database-sessions-scarce',
        `${server.used} of ${server.most} sessions are in use`,
        'Requests wait, and then fail with database_unavailable',
        'select application_name, count(*) from pg_stat_activity group by 1 order by 2 desc',
      ),
    )
  }
  return findings.length > 0 ? findings : [ok('database', `PostgreSQL ${server.version} answers`)]
}

async function lookAtRoles({ database }: SiteWithDatabase): Promise<Finding[]> {
  const { rows } = await database.query<{ name: string; present: boolean; bypass: boolean }>(
    `select name, r.oid is not null as present, coalesce(r.rolbypassrls, false) as bypass
     from unnest(array['pave_owner', 'pave_app', 'pave_system', 'pave_jobs']) as name
     left join pg_roles r on r.rolname = name`,
  )
  const findings: Finding[] = []
  for (const { name, present, bypass } of rows) {
    if (!present) {
      findings.push(
        fail(
          'role-missing',
          `The role ${name} is missing`,
          'Pave cannot work with the database',
          `create role ${name} nologin`,
        ),
      )
    } else if (name === 'pave_app' && bypass) {
      findings.push(
        fail(
          'role-too-mighty',
          'pave_app bypasses row-level security',
          'A mistake in one query could show a workspace the rows of another',
          'alter role pave_app nobypassrls',
        ),
      )
    } else if (name === 'pave_system' && !bypass) {
      findings.push(
        fail(
          'role-too-weak',
          'pave_system may not bypass row-level security',
          'It sees no entries, so that nothing is sealed',
          'alter role pave_system bypassrls',
        ),
      )
    }
  }
  return findings.length > 0 ? findings : [ok('roles', 'the roles have their rights')]
}

async function lookAtMigrations({ database }: SiteWithDatabase): Promise<Finding[]> {
  if (await isUnfinishedDatabase(database)) {
    return [
      fail(
        'restore-unfinished',
        'A restore into the database was cut short',
        'What is in it is a part of a backup, and no Pave starts on it',
        'pave restore BACKUP --force',
      ),
    ]
  }
  const pending: string[] = []
  const unknown: string[] = []
  for (const [schema, names] of Object.entries(knownMigrations(moduleMigrations()))) {
    const done = await migrationsIn(database, schema)
    pending.push(...names.filter((name) => !done.includes(name)).map((name) => `${schema}/${name}`))
    unknown.push(...done.filter((name) => !names.includes(name)).map((name) => `${schema}/${name}`))
  }
  if (unknown.length > 0) {
    return [
      fail(
        'database-newer',
        `The database has migrations that this Pave does not know: ${unknown.join(', ')}`,
        'It was used by a newer Pave, whose tables this one would misread',
        'install the newer version again',
      ),
    ]
  }
  if (pending.length === 0) return [ok('migrations', 'the schema is that of this Pave')]
  return [ok('migrations', `the next start brings ${pending.length} migrations: ${pending.slice(0, 5).join(', ')}`)]
}

async function migrationsIn(database: SiteWithDatabase['database'], schema: string): Promise<string[]> {
  const { rows: tables } = await database.query<{ found: boolean }>('select to_regclass($1) is not null as found', [
    `"${schema}".migration`,
  ])
  if (tables[0]?.found !== true) return []
  const { rows } = await database.query<{ name: string }>(`select name from "${schema}".migration`)
  return rows.map(({ name }) => name)
}

/** Half of the way to the database and back belongs to neither clock. */
async function lookAtClock({ database, now }: SiteWithDatabase): Promise<Finding[]> {
  const before = performance.now()
  const { rows } = await database.query<{ ms: number }>(
    'select (extract(epoch from clock_timestamp()) * 1000)::float8 as ms',
  )
  const after = performance.now()
  const skew = (rows[0]?.ms ?? now) - (performance.timeOrigin + (before + after) / 2)
  return [judgeSkew(skew)]
}

export function judgeSkew(ms: number): Finding {
  const off = Math.abs(ms)
  const what = `the clock of the database is ${(off / 1000).toFixed(1)} s ${ms < 0 ? 'behind' : 'ahead of'} this machine's`
  const why = 'Tokens expire early or late, and a feature may count as known before it was'
  if (off >= skewFailMs) return fail('clock-skew', what, why, 'timedatectl set-ntp true, on both machines')
  if (off >= skewWarnMs) return warn('clock-skew', what, why, 'timedatectl set-ntp true, on both machines')
  return ok('clock', what)
}
