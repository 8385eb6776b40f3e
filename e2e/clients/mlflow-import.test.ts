import { copyFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../support/wait.ts'
import { type Move, startMove } from './mlflow-move.ts'
import { pythonEnvironment } from './python-environment.ts'

const environment = pythonEnvironment(join(import.meta.dirname, 'requirements.txt'))
if ('missing' in environment) console.log(`skipped: ${environment.missing}`)

describe.skipIf('missing' in environment)('pave import mlflow', { timeout: 600_000 }, () => {
  let move: Move
  let theirs: unknown

  beforeAll(async () => {
    move = await startMove('python' in environment ? environment.python : '')
    theirs = await move.told({ url: `sqlite:///${move.file}`, token: '' })
  })
  afterAll(() => move.end())

  it('copies everything that the stock client tells, with ids and times, and nothing twice', async () => {
    const pave = await move.emptyPave()
    const copied = await move.importAll(move.file, pave)
    expect(copied).toMatchObject({ experiments: 3, runs: 6, unchanged: 0, loggedModels: 1, problems: [] })
    expect(copied.points).toBe(3 * 2502 + 2)
    expect(copied).toMatchObject({ traces: 30, spans: 90, datasets: 1, records: 6, scorers: 2, webhooks: 1 })
    expect(await move.told(pave)).toEqual(theirs)
    expect(await move.importAll(move.file, pave)).toMatchObject({
      ...{ runs: 0, unchanged: 6, points: 0, traces: 0, unchangedTraces: 30, spans: 0, records: 0, webhooks: 0 },
      problems: [],
    })
    expect(await move.told(pave)).toEqual(theirs)
  })

  it('says of each thing whether it is here as it is there', async () => {
    const pave = await move.emptyPave()
    await move.importAll(move.file, pave)
    const verified = await move.verify(move.file, pave)
    expect(verified).toMatchObject({ differing: 0, differences: [] })
    expect(verified.counts).toMatchObject({
      runs: { there: 6, here: 6 },
      points: { there: 3 * 2502 + 2, here: 3 * 2502 + 2 },
      traces: { there: 30, here: 30 },
      spans: { there: 90, here: 90 },
      records: { there: 6, here: 6 },
    })
    const other = join(move.folder, 'other.db')
    await copyFile(move.file, other)
    const db = new DatabaseSync(other)
    const run = String(db.prepare(`select run_uuid from runs where name = 'depth-1'`).get()?.['run_uuid'])
    const trace = String(db.prepare('select min(request_id) as id from trace_info').get()?.['id'])
    db.exec(`update metrics set value = value + 1e-9 where run_uuid = '${run}' and key = 'loss' and step = 7;
      update params set value = '12' where run_uuid = '${run}' and key = 'depth';
      update spans set content = replace(content, 'CHAIN', 'CHAOS') where trace_id = '${trace}';
      update model_version_tags set value = 'no' where key = 'checked';
      delete from trace_tags where key = 'reviewed' and value = 'no 1';
      insert into params (key, value, run_uuid) values ('new', '1', '${run}')`)
    db.close()
    await writeFile(join(move.folder, 'artifacts/trees', run, 'artifacts/config.json'), '{"depth": 9}')
    const { differing, differences } = await move.verify(other, pave)
    await writeFile(join(move.folder, 'artifacts/trees', run, 'artifacts/config.json'), '{\n  "depth": 1\n}')
    const named = differences.map(({ what, message }: { what: string; message: string }) => `${what}: ${message}`)
    expect(named.sort()).toEqual([
      expect.stringMatching(/^model line version 3: tags checked: "no" there, "yes" here$/),
      expect.stringMatching(`^run ${run}: file config.json: \\d+ bytes there`),
      expect.stringMatching(`^run ${run}: metric loss digest: `),
      expect.stringMatching(`^run ${run}: params (depth: "12" there, "1" here|new: "1" there, nothing here)$`),
      expect.stringMatching(/^trace tr-[0-9a-f]{32}: (span [0-9a-f]{16}: |tags reviewed: nothing there)/),
      expect.stringMatching(/^trace tr-[0-9a-f]{32}: (span [0-9a-f]{16}: |tags reviewed: nothing there)/),
    ])
    expect(differing).toBe(6)
  })

  it('goes on where it was killed, and doubles nothing', async () => {
    const pave = await move.emptyPave()
    const seen = async (path: string, body: unknown) => {
      const headers = { authorization: `Bearer ${pave.token}`, 'content-type': 'application/json' }
      const answer = await fetch(`${pave.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
      return (await answer.json()).items?.length ?? 0
    }
    const stages = [
      () => seen('/api/v1/tracking-runs/search', { experiments: ['1'], state: 'all' }).then((runs) => runs >= 2),
      () => seen('/api/v1/traces/search', { experiments: ['1'] }).then((traces) => traces >= 1),
    ]
    for (const isReached of stages) {
      const importing = move.begin(['import', 'mlflow', '--from', move.file], pave)
      const ended = new Promise((resolve) => importing.once('exit', (_code, signal) => resolve(signal)))
      await eventually(isReached, 60)
      importing.kill('SIGKILL')
      expect(await ended).toBe('SIGKILL')
    }
    const rest = await move.importAll(move.file, pave)
    expect(rest.problems).toEqual([])
    expect(await move.told(pave)).toEqual(theirs)
    expect(await move.verify(move.file, pave)).toMatchObject({ differing: 0 })
  })

  it('copies from a server, and from a Pave', async () => {
    const server = await move.serve(move.file)
    const [first, second] = [await move.emptyPave(), await move.emptyPave()]
    expect(await move.importAll(server, first)).toMatchObject({ runs: 6, problems: [], absent: [] })
    expect(await move.told(first)).toEqual(theirs)
    expect(await move.verify(server, first)).toMatchObject({ differences: [], differing: 0 })
    expect(await move.importAll(first.url, second, first.token)).toMatchObject({ runs: 6, problems: [], absent: [] })
    expect(await move.told(second)).toEqual(theirs)
    expect(await move.verify(first.url, second, first.token)).toMatchObject({ differences: [], differing: 0 })
  })
})
