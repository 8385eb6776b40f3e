import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { listModels, putModel } from '#modules/registry/contract.ts'
import { verifyLedger } from '#platform/kernel/contract.ts'
import { createClient } from '#platform/surfaces/client.ts'
import { createPlace, type Pave, type Place, pave, startPave } from '../support/start-pave.ts'
import { createLogin, debianPostgres, startPostgres } from './start-postgres.ts'

const program = debianPostgres()
const passphrase = { PAVE_BACKUP_PASSPHRASE: 'correct horse' }
const spec = { owner: 'ada', tier: 4, task: 'regression' } as const

test.skipIf('missing' in program)(
  'a backup of the bundled PostgreSQL comes back in an older one of another kind, and the other way round',
  { timeout: 240_000 },
  async () => {
    if ('missing' in program) return
    const backups = await mkdtemp(join(tmpdir(), 'pave-backups-'))
    onTestFinished(() => rm(backups, { recursive: true, force: true }))
    const bundled = await createPlace()
    const first = await startPave(bundled, ['--no-serve'])
    await first.admin.call(putModel, { model: 'before', spec })
    expect(await pave(bundled, ['backup', '--to', backups], passphrase)).toMatchObject({ code: 0 })
    expect(await first.stop()).toBe(0)

    // What an administrator is asked for is printed; the login itself may nearly nothing.
    const server = await startPostgres(program.path)
    await createLogin(server, 'pave')
    await server.createDatabase('elsewhere')
    const url = server.url('elsewhere', 'pave')
    const place = await createPlace()
    const elsewhere: Place = { ...place, env: { ...place.env, DATABASE_URL: url } }
    const refused = await pave(elsewhere, ['restore', backups], passphrase)
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('database_roles_missing') })
    await server.administer(refused.stderr.slice(refused.stderr.indexOf('once:') + 5), 'elsewhere')
    const said = await pave(elsewhere, ['restore', backups, '--force'], passphrase)
    expect(said, said.stderr).toMatchObject({ code: 0 })
    const second = await startPave(elsewhere, ['--no-serve'])
    await expectWhole(second, elsewhere, first, ['before'])
    await second.admin.call(putModel, { model: 'between', spec })

    const other = await createPlace()
    const full = { ...other, env: { ...other.env, DATABASE_URL: url } }
    expect(await pave(full, ['restore', backups], passphrase)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('restore_target_not_empty'),
    })

    expect(await pave(elsewhere, ['backup', '--to', backups], passphrase)).toMatchObject({ code: 0 })
    expect(await second.stop()).toBe(0)
    const home = await createPlace()
    expect(await pave(home, ['restore', backups], passphrase)).toMatchObject({ code: 0 })
    const third = await startPave(home, ['--no-serve'])
    await expectWhole(third, home, first, ['before', 'between'])
    expect(await third.stop()).toBe(0)
  },
)

async function expectWhole(running: Pave, place: Place, { token }: Pave, models: string[]): Promise<void> {
  const { items } = await createClient({ url: place.url, token }).call(listModels, {})
  expect(items.map(({ model }) => model).sort()).toEqual(models)
  expect(await running.admin.call(verifyLedger, {})).toMatchObject({ verified: true, problems: [] })
  const { findings } = JSON.parse((await pave(place, ['doctor', '--json'])).stdout)
  expect(findings.filter(({ level }: { level: string }) => level === 'fail')).toEqual([])
}
