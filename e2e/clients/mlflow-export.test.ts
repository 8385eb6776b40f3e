import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { putModel, registerVersion } from '#modules/registry/contract.ts'
import { canonicalJson } from '#platform/canonical-json.ts'
import { type Client, createClient } from '#platform/surfaces/client.ts'
import { mlflowSchema } from '../../src/commands/export/mlflow-schema.ts'
import { eventually } from '../support/wait.ts'
import { type Move, type Server, startMove } from './mlflow-move.ts'
import { pythonEnvironment } from './python-environment.ts'

const environment = pythonEnvironment(join(import.meta.dirname, 'requirements.txt'))
if ('missing' in environment) console.log(`skipped: ${environment.missing}`)

describe.skipIf('missing' in environment)('pave export mlflow', { timeout: 600_000 }, () => {
  let move: Move
  let theirs: unknown
  let pave: Server

  beforeAll(async () => {
    move = await startMove('python' in environment ? environment.python : '')
    theirs = await move.told({ url: `sqlite:///${move.file}`, token: '' })
    pave = await move.emptyPave()
    expect(await move.importAll(move.file, pave)).toMatchObject({ problems: [], traces: 30, spans: 90 })
    expect(await move.told(pave)).toEqual(theirs)
    await registerOwn(createClient(pave))
  })
  afterAll(() => move.end())

  /** A version that no run and no logged model of MLflow has the files of. */
  async function registerOwn(client: Client) {
    const store = async (text: string) =>
      z
        .object({ digest: z.string(), size: z.int() })
        .parse(await (await client.raw('POST', '/api/v1/objects', { body: text })).json())
    const files = await store(canonicalJson([{ path: 'weights/a b.txt', ...(await store('heavy')) }]))
    await client.call(putModel, { model: 'own', spec: { owner: 'ada', tier: 2, task: 'other' } })
    await client.call(registerVersion, { model: 'own', files: files.digest, note: 'made here' })
  }

  it('writes the schema that this mlflow makes', async () => {
    const { version, revision, statements } = JSON.parse(
      await move.script('mlflow-schema.py', [join(move.folder, 'schema.db')]),
    )
    expect({ version, revision }).toEqual({ version: mlflowSchema.version, revision: mlflowSchema.revision })
    // Its migrations write the choices of a check in any order.
    const words = (statement: string) =>
      statement
        .split(/[\s,()]+/)
        .sort()
        .join(' ')
    expect(statements.map(words)).toEqual(mlflowSchema.statements.map(words))
  })

  it('writes what a server of MLflow and another Pave then hold, to the last digit', async () => {
    const [file, artifacts] = [join(move.folder, 'back', 'mlflow.db'), join(move.folder, 'back', 'files')]
    const exported = await move.command(['export', 'mlflow', '--to', file, '--artifacts', artifacts], pave)
    expect(exported).toMatchObject({
      ...{ experiments: 3, runs: 6, points: 3 * 2502 + 2, loggedModels: 1, traces: 30, spans: 90 },
      ...{ models: 4, versions: 5, datasets: 1, records: 6, scorers: 2, webhooks: 1, unchangedFiles: 0 },
    })
    const server = await move.serve(file, '--artifacts-destination', artifacts)
    expect(await move.told({ url: server, token: '' })).toEqual(await move.told(pave))
    const own = await fetch(`${server}/api/2.0/mlflow-artifacts/artifacts/versions/own/1/artifacts/weights/a%20b.txt`)
    expect(await own.text()).toBe('heavy')
    const other = await move.emptyPave()
    expect(await move.importAll(file, other, '', '--artifacts', artifacts)).toMatchObject({ runs: 6, problems: [] })
    expect(await move.verify(file, other, '', '--artifacts', artifacts)).toMatchObject({
      differences: [],
      differing: 0,
    })
    expect(await move.verify(pave.url, other, pave.token)).toMatchObject({ differences: [], differing: 0 })

    expect(await move.command(['export', 'mlflow', '--to', file], pave)).toMatch('is there already')
    const again = ['export', 'mlflow', '--to', join(move.folder, 'again.db'), '--artifacts', artifacts]
    expect(await move.command(again, pave)).toMatchObject({ files: 1, unchangedFiles: exported.files - 1 })
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
