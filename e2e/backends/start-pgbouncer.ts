import { chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { onTestFinished } from 'vitest'
import { chooseAccount } from '#platform/storage/database/embedded/account.ts'
import { eventually } from '../support/wait.ts'
import { freePort, outsideProgram, start } from './outside-program.ts'
import type { PostgresServer } from './start-postgres.ts'

export const pgbouncer = () => outsideProgram('pgbouncer')

/** A pooler in transaction mode before the server, which has fewer sessions than Pave has transactions at once. */
export async function startPgbouncer(
  path: string,
  server: PostgresServer,
  options: { sessions?: number; more?: Record<string, string>; cleanUp?: (work: () => Promise<void>) => void } = {},
): Promise<{ url(database: string, login?: string): string }> {
  const { sessions = 3, more = {}, cleanUp = onTestFinished } = options
  const directory = await mkdtemp(join(tmpdir(), 'pave-pgbouncer-'))
  cleanUp(() => rm(directory, { recursive: true, force: true }))
  const port = await freePort()
  const { username, password } = new URL(server.url())
  const settings = {
    listen_addr: '127.0.0.1',
    listen_port: String(port),
    unix_socket_dir: '',
    auth_type: 'scram-sha-256',
    auth_file: join(directory, 'logins'),
    pool_mode: 'transaction',
    // How long it waits before it looks for a server that went away again; 15 seconds otherwise.
    server_login_retry: '1',
    default_pool_size: String(sessions),
    max_client_conn: '500',
    server_check_delay: '0',
    ...more,
  }
  const logins = ['postgres', 'pave'].map((login) => `"${login}" "${decodeURIComponent(password)}"\n`)
  await writeFile(join(directory, 'logins'), logins.join(''))
  const origin = `host=127.0.0.1 port=${server.port}`
  await writeFile(
    join(directory, 'pgbouncer.ini'),
    [
      '[databases]',
      `* = ${origin}`,
      '[pgbouncer]',
      ...Object.entries(settings).map(([name, value]) => `${name} = ${value}`),
    ].join('\n'),
  )
  const url = (database: string, login = username) => `postgresql://${login}:${password}@127.0.0.1:${port}/${database}`
  const account = await chooseAccount(join(directory, 'none'))
  if (account !== undefined) await chown(directory, account.uid, account.gid)
  await chmod(directory, 0o755)
  const asUser = account === undefined ? [] : ['--user', 'postgres']
  const running = start(
    path,
    ['--quiet', ...asUser, join(directory, 'pgbouncer.ini')],
    { PATH: '/usr/bin:/bin' },
    cleanUp,
  )
  await eventually(async () => {
    if (running.child.exitCode !== null) throw new Error(`pgbouncer ended: ${running.said()}`)
    const client = new pg.Client({ connectionString: url('postgres') })
    client.on('error', () => {})
    return client.connect().then(
      () => client.end().then(() => true),
      () => false,
    )
  })
  return { url }
}
