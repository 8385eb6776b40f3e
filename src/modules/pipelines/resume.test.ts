import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { migrationSets } from '#platform/control-plane.ts'
import { migrate } from '#platform/storage/database/migrate.ts'
import { createTestDatabase, type TestDatabase } from '#testing/postgres.ts'
import { getRun, putPipeline, readStepLog, startRun } from './contract.ts'
import { linesOf, modules, openControlPlane, type runAsSystem, stepOf, workspace } from './fixture.ts'
import { attemptId } from './tables.ts'

let database: TestDatabase
let dataDir: string
let gate: string

beforeAll(async () => {
  database = await createTestDatabase()
  await migrate(database.url, migrationSets(modules))
  dataDir = await mkdtemp(join(tmpdir(), 'pave-resume-'))
  gate = join(dataDir, 'gate')
}, 60_000)
afterAll(async () => {
  await database.drop()
  await rm(dataDir, { recursive: true, force: true })
})

/** A program that starts a run and says when its steps are where the test wants them. */
function program(): string {
  const fixture = JSON.stringify(new URL('fixture.ts', import.meta.url).href)
  const contract = JSON.stringify(new URL('contract.ts', import.meta.url).href)
  const steps = [
    { name: 'finished', run: 'head -c 16 /dev/urandom > "$PAVE_OUTPUT_RANDOM"', outputs: ['random'] },
    {
      name: 'running',
      run: 'echo begun; while [ ! -e "$HOME/go" ]; do sleep 0.02; done; cp "$PAVE_INPUT_RANDOM" "$PAVE_OUTPUT_COPY"',
      inputs: { random: 'steps.finished.random' },
      outputs: ['copy'],
    },
    { name: 'job', job: 'count-things', with: { name: 'x', log: join(dataDir, 'counted'), wait: gate } },
    { name: 'last', run: 'true', after: ['running', 'job'] },
  ]
  return `
    const { openControlPlane, runAsSystem } = await import(${fixture})
    const { getRun, putPipeline, readStepLog, startRun } = await import(${contract})
    const { platform } = await openControlPlane(${JSON.stringify({ url: database.url, dataDir })})
    const run = runAsSystem(platform)
    await run(putPipeline, { pipeline: 'resumed', spec: { steps: ${JSON.stringify(steps)} } })
    const started = await run(startRun, { pipeline: 'resumed' })
    for (;;) {
      const now = await run(getRun, { run: started.run })
      const [finished, running, job] = now.steps
      if (finished.state === 'done' && running.state === 'running' && job.state === 'running') {
        const { text } = await run(readStepLog, { run: started.run, step: 'running' })
        if (text !== '') {
          console.log(JSON.stringify({ run: started.run, random: finished.outputs.random }))
          break
        }
      }
      await new Promise((resolve) => setTimeout(resolve, 20))
    }`
}

/** Waits for the end of the run. */
async function endOf(runAs: ReturnType<typeof runAsSystem>, run: string) {
  for (;;) {
    const now = await runAs(getRun, { run })
    if (now.state !== 'queued' && now.state !== 'running') return now
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

it('goes on after kill -9: what is finished is not repeated, what runs is taken up', async () => {
  const killed = spawn(process.execPath, ['--input-type=module', '-e', program()], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = await once(createInterface(killed.stdout), 'line')
  killed.kill('SIGKILL')
  await once(killed, 'exit')
  const { run, random } = JSON.parse(String(line))
  await writeFile(gate, 'open')
  await writeFile(join(dataDir, 'compute/attempts', attemptId(run, 'running', 1), 'work/home/go'), '')

  const { platform, runAs, stop } = await openControlPlane({ url: database.url, dataDir })
  try {
    const after = await endOf(runAs, run)
    expect(after).toMatchObject({ state: 'done', error: null })
    expect(after.steps.map(({ step, state, attempt }) => [step, state, attempt])).toEqual([
      ['finished', 'done', 1],
      ['running', 'done', 1],
      ['job', 'done', 1],
      ['last', 'done', 1],
    ])
    expect(stepOf(after, 'finished').outputs.random).toBe(random)
    expect(stepOf(after, 'running').outputs.copy).toBe(random)
    expect((await runAs(readStepLog, { run, step: 'running' })).text).toBe('begun\n')
    const counts = await platform.read(workspace, async (db) => {
      const { rows } = await sql<{ jobs: number; started: number }>`
        select (select count(*)::int from platform.job where job = 'count-things') as jobs,
               (select count(*)::int from ledger.entry where operation = 'start-step') as started
      `.execute(db)
      return rows[0]
    })
    expect(counts).toEqual({ jobs: 1, started: 4 })
    expect((await linesOf(join(dataDir, 'counted'))).length).toBeGreaterThan(0)
    expect(await platform.services.compute.list()).toEqual([])
  } finally {
    await stop()
  }
}, 40_000)

it('lets go of what runs when Pave stops, and takes it up when Pave is back', async () => {
  const first = await openControlPlane({ url: database.url, dataDir })
  const step = { name: 'slow', run: 'echo begun; while [ ! -e "$HOME/go" ]; do sleep 0.02; done' }
  await first.runAs(putPipeline, { pipeline: 'stopped', spec: { steps: [step] } })
  const { run } = await first.runAs(startRun, { pipeline: 'stopped' })
  let text = ''
  while (text === '') text = (await first.runAs(readStepLog, { run, step: 'slow' })).text
  await first.stop()
  await first.platform.services.compute.close()
  await writeFile(join(dataDir, 'compute/attempts', attemptId(run, 'slow', 1), 'work/home/go'), '')

  const second = await openControlPlane({ url: database.url, dataDir })
  try {
    const after = await endOf(second.runAs, run)
    expect(after).toMatchObject({ state: 'done', steps: [{ state: 'done', attempt: 1 }] })
    expect((await second.runAs(readStepLog, { run, step: 'slow' })).text).toBe('begun\n')
  } finally {
    await second.stop()
  }
}, 40_000)
