import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { mlflowSchema } from '../../src/commands/export/mlflow-schema.ts'
import { eventually } from '../support/wait.ts'
import { type Move, type Server, startMove } from './mlflow-move.ts'
import { pythonEnvironment } from './python-environment.ts'

const environment = pythonEnvironment(join(import.meta.dirname, 'requirements.txt'))
if ('missing' in environment) console.log(`skipped: ${environment.missing}`)

describe.skipIf('missing' in environment)('pave export mlflow', { timeout: 300_000 }, () => {
  let move: Move
  let theirs: unknown
  let pave: Server

  beforeAll(async () => {
    move = await startMove('python' in environment ? environment.python : '')
    theirs = await move.told({ url: `sqlite:///${move.file}`, token: '' })
    pave = await move.emptyPave()
    await move.importAll(move.file, pave)
  })
  afterAll(() => move.end())

  it('writes the schema that this mlflow makes', async () => {
    expect(JSON.parse(await move.script('mlflow-schema.py', [join(move.folder, 'schema.db')]))).toEqual(mlflowSchema)
  })

  it('writes what a server of MLflow and another Pave then hold, to the last digit', async () => {
    const [file, artifacts] = [join(move.folder, 'back', 'mlflow.db'), join(move.folder, 'back', 'files')]
    const exported = await move.command(['export', 'mlflow', '--to', file, '--artifacts', artifacts], pave)
    expect(exported).toMatchObject({
      ...{ experiments: 3, runs: 6, points: 3 * 2502 + 2, loggedModels: 1, traces: 30, spans: 90 },
      ...{ models: 3, versions: 4, datasets: 1, records: 6, scorers: 2, webhooks: 1, unchangedFiles: 0 },
    })
    const server = await move.serve(file, '--artifacts-destination', artifacts)
    expect(await move.told({ url: server, token: '' })).toEqual(theirs)
    const other = await move.emptyPave()
    expect(await move.importAll(file, other, '', '--artifacts', artifacts)).toMatchObject({ runs: 6, problems: [] })
    expect(await move.verify(file, other, '', '--artifacts', artifacts)).toMatchObject({
      differences: [],
      differing: 0,
    })
    expect(await move.verify(pave.url, other, pave.token)).toMatchObject({ differences: [], differing: 0 })

    expect(await move.command(['export', 'mlflow', '--to', file], pave)).toMatch('is there already')
    const again = ['export', 'mlflow', '--to', join(move.folder, 'again.db'), '--artifacts', artifacts]
    expect(await move.command(again, pave)).toMatchObject({ files: 0, unchangedFiles: exported.files })
  })

  it('shows nothing that is half written', async () => {
    const folder = join(move.folder, 'killed')
    await mkdir(folder)
    const file = join(folder, 'mlflow.db')
    const exporting = move.begin(['export', 'mlflow', '--to', file], pave)
    const ended = new Promise((resolve) => exporting.once('exit', (_code, signal) => resolve(signal)))
    await eventually(() => existsSync(join(folder, 'mlartifacts')))
    exporting.kill('SIGKILL')
    expect(await ended).toBe('SIGKILL')
    expect(existsSync(file)).toBe(false)
    expect(existsSync(`${file}.partial`)).toBe(true)
    expect(await move.command(['export', 'mlflow', '--to', file], pave)).toMatchObject({ runs: 6, traces: 30 })
    expect(existsSync(`${file}.partial`)).toBe(false)
  })

  it('says that a running server is no place for it', async () => {
    expect(await move.command(['export', 'mlflow', '--to', 'http://127.0.0.1:5000'], pave)).toMatch('Export to a file')
  })
})
