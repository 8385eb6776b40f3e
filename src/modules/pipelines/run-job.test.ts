import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { systemActor } from '#platform/actor.ts'
import { packBundle } from '#platform/compute/bundle.ts'
import { listEntries, recordObject } from '#platform/kernel/contract.ts'
import { createTestPlatform, type TestPlatform } from '#testing/platform.ts'
import { createWorkspace } from '../identity/contract.ts'
import { getModel } from '../registry/contract.ts'
import { cancelRun, getRun, readStepLog, startRun } from './contract.ts'
import { declare, ended, linesOf, modules, runOf, start, stepOf, textOf, until } from './fixture.ts'
import { attemptId } from './tables.ts'

let test: TestPlatform
let scratch: string

beforeAll(async () => {
  test = await createTestPlatform({ modules })
  scratch = await mkdtemp(join(tmpdir(), 'pave-pipelines-'))
}, 60_000)
afterAll(async () => {
  await test.drop()
  await rm(scratch, { recursive: true })
})

async function codeOf(files: Record<string, string>) {
  const directory = await mkdtemp(join(scratch, 'code-'))
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(directory, name), text)
    if (text.startsWith('#!')) await chmod(join(directory, name), 0o755)
  }
  const { bytes } = await packBundle(directory)
  const stored = await test.platform.services.objects.put(bytes)
  await test.run(recordObject, stored)
  return stored
}

describe('a chain of commands', () => {
  const double = `
    import { readFileSync, writeFileSync } from 'node:fs'
    const { inputs, outputs, params } = JSON.parse(readFileSync(process.env.PAVE_STEP_FILE ?? '', 'utf8'))
    writeFileSync(outputs.doubled, String(Number(readFileSync(inputs.number, 'utf8')) * params.factor))
    console.log('doubled')`
  const steps = [
    {
      name: 'make',
      run: 'mkdir "$PAVE_OUTPUT_BOX" && echo 20 > "$PAVE_OUTPUT_NUMBER" && cp *.ts "$PAVE_OUTPUT_BOX"',
      outputs: ['number', 'box'],
    },
    {
      name: 'double',
      run: 'node double.ts',
      inputs: { number: 'steps.make.number' },
      outputs: ['doubled'],
      params: ['factor'],
    },
    {
      name: 'look',
      run: ['sh', '-c', 'ls "$PAVE_INPUT_BOX"; env'],
      inputs: { box: 'steps.make.box' },
      after: ['double'],
    },
  ]
  const params = { factor: { type: 'int' as const, default: 2 }, unseen: { type: 'string' as const, default: 'a' } }

  it('hands artifacts on, and enters each step with its lineage', async () => {
    const code = await codeOf({ 'double.ts': double })
    await declare(test, 'chain', { code, params, steps })
    const run = await runOf(test, 'chain')
    expect(run).toMatchObject({ state: 'done', error: null, params: { factor: 2, unseen: 'a' } })
    expect(run.steps.map(({ step, state, attempt, exitCode }) => [step, state, attempt, exitCode])).toEqual([
      ['make', 'done', 1, 0],
      ['double', 'done', 1, 0],
      ['look', 'done', 1, 0],
    ])
    const { doubled } = stepOf(run, 'double').outputs
    expect(await textOf(test, doubled)).toBe('40')
    const log = await textOf(test, stepOf(run, 'look').logDigest)
    expect(log).toMatch(/^double\.ts\n/)
    expect(log).toContain(`PAVE_RUN_ID=${run.run}\n`)
    expect(log).toMatch(/PAVE_URL=http:\/\/127\.0\.0\.1:7400\n/)
    expect(/MLFLOW_TRACKING_TOKEN=(pave_\S+)/.exec(log)?.[1]).toBe(/PAVE_TOKEN=(pave_\S+)/.exec(log)?.[1])
    const actor = await test.platform.authenticate(/PAVE_TOKEN=(pave_\S+)/.exec(log)?.[1] ?? '')
    expect(actor?.name).toBe('ada')

    const { items } = await test.run(listEntries, { subject: `step:${run.run}/double` })
    expect(items.map((entry) => entry.operation)).toEqual(['finish-step', 'start-step'])
    expect(items[0]?.lineage).toEqual({
      inputs: expect.arrayContaining([
        { kind: 'object', id: stepOf(run, 'make').outputs.number },
        { kind: 'object', id: code.digest },
      ]),
      outputs: expect.arrayContaining([
        { kind: 'object', id: doubled },
        { kind: 'run', id: run.run },
      ]),
    })
    expect(await test.platform.services.compute.list()).toEqual([])
    expect(stepOf(run, 'double')).toMatchObject({
      kind: 'command',
      does: 'node double.ts',
      needs: ['make'],
      inputs: [
        { name: 'number', from: 'steps.make.number', digest: stepOf(run, 'make').outputs['number'], directory: false },
      ],
      artifacts: [{ name: 'doubled', digest: doubled, directory: false }],
    })
    expect(stepOf(run, 'look').inputs).toMatchObject([{ name: 'box', directory: true }])
  })

  it('says why a step came from the cache, or did not', async () => {
    const first = await runOf(test, 'chain')
    const second = await runOf(test, 'chain', { unseen: 'b' })
    for (const name of ['make', 'double']) {
      expect(stepOf(second, name).cache).toMatchObject({
        hit: true,
        reason: expect.stringMatching(/^same code, params and inputs as run /),
      })
    }
    expect(stepOf(second, 'look').cache).toEqual({ hit: false, reason: 'a command without outputs always runs' })
    expect(stepOf(second, 'double').outputs).toEqual(stepOf(first, 'double').outputs)

    const third = await runOf(test, 'chain', { factor: 3 })
    expect(stepOf(third, 'make').cache?.hit).toBe(true)
    expect(stepOf(third, 'double').cache).toEqual({ hit: false, reason: 'param factor changed' })
    expect(await textOf(test, stepOf(third, 'double').outputs.doubled)).toBe('60')

    const steps30 = steps.map((step) => ({
      ...step,
      ...(step.name === 'make' && {
        run: 'mkdir "$PAVE_OUTPUT_BOX" && touch "$PAVE_OUTPUT_BOX/a" && echo 30 > "$PAVE_OUTPUT_NUMBER"',
      }),
    }))
    await declare(test, 'chain', { code: await codeOf({ 'double.ts': double }), params, steps: steps30 })
    const fourth = await runOf(test, 'chain', { factor: 3 })
    expect(stepOf(fourth, 'make').cache).toEqual({ hit: false, reason: 'command changed' })
    expect(stepOf(fourth, 'double').cache).toEqual({ hit: false, reason: 'input number changed' })

    const changed = { 'double.ts': `${double}\n// changed` }
    await declare(test, 'chain', { code: await codeOf(changed), params, steps: steps30 })
    const fifth = await runOf(test, 'chain', { factor: 3 })
    expect(stepOf(fifth, 'double').cache).toEqual({ hit: false, reason: 'code changed' })

    await declare(test, 'chain', {
      code: await codeOf(changed),
      params,
      steps: steps30.map((step) => ({ ...step, cache: false })),
    })
    const sixth = await runOf(test, 'chain', { factor: 3 })
    expect(stepOf(sixth, 'make').cache).toEqual({ hit: false, reason: 'cache: false' })

    await declare(test, 'chain', { code: await codeOf(changed), params, steps: steps30 })
    await test.platform.services.objects.delete(stepOf(sixth, 'double').outputs.doubled ?? '')
    const seventh = await runOf(test, 'chain', { factor: 3 })
    expect(stepOf(seventh, 'double').cache).toEqual({ hit: false, reason: 'its earlier outputs are no longer stored' })
    expect(await textOf(test, stepOf(seventh, 'double').outputs.doubled)).toBe('90')
  })
})

describe('jobs and operations', () => {
  it('fills their inputs from params, results and artifacts, and caches jobs by what they declare to read', async () => {
    const log = join(scratch, 'counted')
    await declare(test, 'calls', {
      params: { name: { type: 'string', default: 'apples' } },
      steps: [
        { name: 'source', run: 'echo "{\\"a\\": {\\"b\\": 1}}" > "$PAVE_OUTPUT_SOURCE"', outputs: ['source'] },
        {
          name: 'count',
          job: 'count-things',
          with: { name: `\${params.name}`, log },
          inputs: { source: 'steps.source.source' },
          outputs: { counted: 'object' },
        },
        { name: 'again', job: 'count-things', with: { name: 'pears', log }, after: ['count'] },
        { name: 'read', run: 'cat "$PAVE_INPUT_COUNTED"', inputs: { counted: 'steps.count.counted' } },
        {
          name: 'declare',
          operation: 'put-model',
          with: {
            model: `counter-\${params.name}`,
            spec: {
              owner: `\${run.id}`,
              tier: { $json: 'steps.source.source', path: 'a.b' },
              task: 'other',
              description: `Of \${steps.count.result.count} things, in { $digest }`,
              prediction: { $digest: 'steps.count.counted' },
              tags: `\${steps.count.result.tags}`,
            },
          },
        },
      ],
    })
    const run = await runOf(test, 'calls')
    expect(run.error).toBeNull()
    expect(stepOf(run, 'count')).toMatchObject({ state: 'done', result: { name: 'apples', count: 3 } })
    expect(await textOf(test, stepOf(run, 'read').logDigest)).toBe('{"name":"apples","count":3}')
    const { spec } = await test.run(getModel, { model: 'counter-apples' })
    expect(spec).toEqual({
      owner: run.run,
      tier: 1,
      task: 'other',
      description: 'Of 3 things, in { $digest }',
      prediction: stepOf(run, 'count').outputs.counted,
      tags: { count: '3' },
    })

    const second = await runOf(test, 'calls')
    expect(stepOf(second, 'count')).toMatchObject({ cache: { hit: true }, result: { count: 3 } })
    expect(stepOf(second, 'again').cache).toEqual({
      hit: false,
      reason: 'a job that declares no inputs always runs',
    })
    expect(stepOf(second, 'declare').cache).toEqual({ hit: false, reason: 'operations always run' })
    expect(await linesOf(log)).toEqual(['apples', 'pears', 'pears'])
  })

  it('runs them with the rights of whoever started the run', async () => {
    await declare(test, 'too-much', {
      steps: [{ name: 'bind', operation: 'bind-role', with: { principal: 'ada', role: 'admin' } }],
    })
    const { run } = await test.run(startRun, { pipeline: 'too-much' }, { as: await test.as('carl', 'contributor') })
    const { error } = await ended(test, run)
    expect(error).toMatchObject({ code: 'step_failed', step: 'bind' })
    expect(error?.message).toContain('carl lacks role:bind')
  })

  it('acts for whoever declared the pipeline when Pave starts it', async () => {
    await declare(test, 'by-itself', {
      steps: [
        { name: 'whose', operation: 'whoami' },
        { name: 'env', run: 'env' },
      ],
    })
    const { run } = await test.run(startRun, { pipeline: 'by-itself' })
    const done = await ended(test, run)
    const ada = await test.as('ada')
    expect(done.actsFor).toBe(ada.id)
    expect(stepOf(done, 'whose').result).toMatchObject({ name: 'ada' })
    expect(await textOf(test, stepOf(done, 'env').logDigest)).toContain('PAVE_TOKEN=pave_')
  })

  it('says which step names what does not exist', async () => {
    await declare(test, 'unknown', { steps: [{ name: 'fly', operation: 'fly-away' }] })
    expect((await runOf(test, 'unknown')).error).toMatchObject({
      code: 'operation_unknown',
      message: 'Step fly: there is no operation fly-away',
    })
    await declare(test, 'unknown', { steps: [{ name: 'count', operation: 'count-things' }] })
    expect((await runOf(test, 'unknown')).error?.hint).toBe('Write `job: count-things`.')
    await declare(test, 'unknown', {
      steps: [{ name: 'count', job: 'count-things', inputs: { a: 'dataset:nothing' } }],
    })
    expect((await runOf(test, 'unknown')).error?.message).toContain('There is no dataset nothing')
  })
})

describe('failures', () => {
  it('retries with growing pauses until it succeeds', async () => {
    const flaky = `test "$PAVE_ATTEMPT_ID" != "\${PAVE_ATTEMPT_ID%3}" && echo third > "$PAVE_OUTPUT_A"`
    await declare(test, 'flaky', { steps: [{ name: 'try', run: flaky, outputs: ['a'], retries: 2, backoff: '10ms' }] })
    const run = await runOf(test, 'flaky')
    expect(stepOf(run, 'try')).toMatchObject({
      state: 'done',
      attempt: 3,
      cache: { hit: false, reason: 'first run of this step' },
    })
  })

  it('reports the step, its exit code and its last lines; ends the others, skips the rest', async () => {
    await declare(test, 'failing', {
      steps: [
        { name: 'long', run: 'sleep 60' },
        { name: 'bad', run: 'echo starting; echo "no such column: delya" >&2; exit 3', retries: 1, backoff: '10ms' },
        { name: 'later', run: 'true', after: ['bad'] },
      ],
    })
    const run = await runOf(test, 'failing')
    expect(run.state).toBe('failed')
    expect(run.error).toMatchObject({
      code: 'step_failed',
      step: 'bad',
      exitCode: 3,
      log: ['starting', 'no such column: delya'],
    })
    expect(run.error?.message).toContain('exit code 3')
    expect(run.steps.map(({ step, state, attempt }) => [step, state, attempt])).toEqual([
      ['long', 'cancelled', 1],
      ['bad', 'failed', 2],
      ['later', 'skipped', 0],
    ])
    await expect(test.finished(run.job)).rejects.toThrow('step_failed')
    expect(await test.platform.services.compute.list()).toEqual([])
  })

  it('ends what runs too long, fills the disk, or leaves out an output', async () => {
    const resources = { diskMb: 4 }
    for (const [step, reason] of [
      [{ name: 'slow', run: 'sleep 60', timeout: '200ms' }, /longer than its 0\.2 seconds/],
      [{ name: 'full', run: 'head -c 20000000 /dev/zero > big', resources }, /more than its 4 MB of disk/],
      [{ name: 'empty', run: 'true', outputs: ['model'] }, /output `model` was not written/],
    ] as const) {
      await declare(test, 'bounded', { steps: [{ ...step, outputs: [...('outputs' in step ? step.outputs : [])] }] })
      const run = await runOf(test, 'bounded')
      expect(run.error?.step).toBe(step.name)
      expect(stepOf(run, step.name).reason).toMatch(reason)
    }
  })

  it('names the step whose template leads nowhere', async () => {
    await declare(test, 'lost', {
      steps: [
        { name: 'report', run: 'echo "{\\"x\\": 1}" > "$PAVE_OUTPUT_REPORT"', outputs: ['report'] },
        { name: 'use', operation: 'get-model', with: { model: { $json: 'steps.report.report', path: 'y' } } },
      ],
    })
    const run = await runOf(test, 'lost')
    expect(run.error).toMatchObject({ step: 'use', code: 'step_failed' })
    expect(run.error?.message).toContain('there is no y among x')
  })
})

describe('many at once', () => {
  it('runs commands side by side up to the limit', async () => {
    const step = (name: string) => ({ name, run: 'date +%s%N; sleep 0.3; date +%s%N' })
    await declare(test, 'wide', { steps: ['a', 'b', 'c', 'd'].map(step), parallelism: 2 })
    const run = await runOf(test, 'wide')
    const spans = await Promise.all(
      run.steps.map(async ({ logDigest }) => (await textOf(test, logDigest)).trim().split('\n').map(Number)),
    )
    const together = spans.map(
      ([from = 0]) => spans.filter(([start = 0, end = 0]) => start <= from && from < end).length,
    )
    expect(Math.max(...together)).toBe(2)
  })

  it('carries out a long chain of empty steps, each with little to add', async () => {
    const steps = Array.from({ length: 20 }, (_, index) => ({
      name: `s${index}`,
      run: 'true',
      ...(index > 0 && { after: [`s${index - 1}`] }),
    }))
    await declare(test, 'long-chain', { steps })
    const run = await runOf(test, 'long-chain')
    expect(run.steps.every(({ state }) => state === 'done')).toBe(true)
    const entries = await test.run(listEntries, { subject: `step:${run.run}/s7` })
    expect(entries.items).toHaveLength(2)
  })
})

describe('cancelling', () => {
  it('ends commands and jobs, keeps their logs, and never begins the rest', async () => {
    const gate = join(scratch, 'never')
    await declare(test, 'cancelled', {
      steps: [
        { name: 'command', run: 'echo begun; sleep 60' },
        { name: 'job', job: 'count-things', with: { name: 'x', log: join(scratch, 'cancelled'), wait: gate } },
        { name: 'later', run: 'true', after: ['command'] },
      ],
    })
    const id = await start(test, 'cancelled')
    await until(test, id, ({ steps }) => steps.filter(({ state }) => state === 'running').length === 2)
    let text = ''
    while (text === '') text = (await test.run(readStepLog, { run: id, step: 'command' })).text
    expect(text).toBe('begun\n')
    expect(await test.run(cancelRun, { run: id })).toEqual({ run: id, state: 'cancelled' })
    const run = await until(test, id, (now) => stepOf(now, 'command').logDigest !== null)
    expect(run.state).toBe('cancelled')
    expect(run.steps.map(({ step, state }) => [step, state])).toEqual([
      ['command', 'cancelled'],
      ['job', 'cancelled'],
      ['later', 'cancelled'],
    ])
    const log = await test.run(readStepLog, { run: id, step: 'command' })
    expect(log).toMatchObject({ text: expect.stringMatching(/^begun\n/), complete: true })
    await expect(test.finished(run.job)).rejects.toThrow('cancelled')
    await expect(test.run(cancelRun, { run: id })).rejects.toMatchObject({ code: 'run_ended' })
  })
})

describe('logs', () => {
  it('pages by whole characters', async () => {
    await declare(test, 'talking', { steps: [{ name: 'say', run: 'printf "0123456789 12 äöü €uro 𝄞"' }] })
    const run = await runOf(test, 'talking')
    let text = ''
    for (let next = 0; ; ) {
      const page = await test.run(readStepLog, { run: run.run, step: 'say', offset: next, limit: 16 })
      expect(page.text).not.toContain('\ufffd')
      text += page.text
      next = page.next
      if (page.complete) break
    }
    expect(text).toBe('0123456789 12 äöü €uro 𝄞')
    const whole = Buffer.from(text)
    for (let limit = 16; limit < whole.length; limit++) {
      const page = await test.run(readStepLog, { run: run.run, step: 'say', limit, tail: true })
      expect(page.text).toBe(whole.subarray(page.offset).toString())
      expect(page).toMatchObject({ next: whole.length, size: whole.length, complete: true })
      expect(page.text).not.toContain('\ufffd')
    }
  })

  it('show their end while the step runs', async () => {
    await declare(test, 'long-talk', { steps: [{ name: 'say', run: 'seq 1 5000; sleep 60' }] })
    const run = await start(test, 'long-talk')
    let page = { text: '', size: 0 }
    while (!page.text.endsWith('5000\n')) {
      page = await test.run(readStepLog, { run, step: 'say', limit: 20, tail: true })
    }
    expect(page).toMatchObject({ text: expect.stringMatching(/4999\n5000\n$/), size: 23_893, complete: false })
    await test.run(cancelRun, { run })
    await ended(test, run)
  })
})

describe('an environment', () => {
  const make = 'mkdir "$PAVE_ENVIRONMENT/bin"; ls; cp tool "$PAVE_ENVIRONMENT/bin/tool"'
  const tools = { name: 'tools', run: make, makes: 'environment' as const, files: ['tool'] }
  const use = { name: 'use', run: 'tool > "$PAVE_OUTPUT_SAID"', environment: 'tools', outputs: ['said'] }
  const steps = [tools, use]
  const tool = (said: string) => `#!/bin/sh\necho ${said}\n`

  it('is made once for its command and files, and part of what decides the steps in it', async () => {
    const declareWith = async (files: Record<string, string>) =>
      declare(test, 'tooled', { code: await codeOf({ ...files, 'run.sh': '' }), steps })
    await declareWith({ tool: tool('one') })
    const first = await runOf(test, 'tooled')
    expect(first.error).toBeNull()
    expect(await textOf(test, stepOf(first, 'tools').logDigest)).toBe('tool\n')
    expect(await textOf(test, stepOf(first, 'use').outputs['said'])).toBe('one\n')

    await declareWith({ tool: tool('one'), 'train.py': 'changed' })
    const second = await runOf(test, 'tooled')
    expect(stepOf(second, 'tools').cache?.hit).toBe(true)
    expect(stepOf(second, 'use').cache).toEqual({ hit: false, reason: 'code changed' })

    await declareWith({ tool: tool('two'), 'train.py': 'changed' })
    const third = await runOf(test, 'tooled')
    expect(stepOf(third, 'tools').cache?.hit).toBe(false)
    expect(await textOf(test, stepOf(third, 'use').outputs['said'])).toBe('two\n')
    expect(stepOf(third, 'use').cache?.reason).toContain('environment changed')
  })

  it('is made again where it is missing, also between the steps of a run', async () => {
    const gate = join(scratch, 'gate')
    const wait = { name: 'wait', job: 'count-things', with: { name: 'n', log: join(scratch, 'log'), wait: gate } }
    await declare(test, 'moved', {
      code: await codeOf({ tool: tool('three') }),
      steps: [tools, { ...wait, after: ['tools'] }, { ...use, run: 'tool', outputs: [], after: ['wait'] }],
    })
    const run = await start(test, 'moved')
    await until(test, run, (now) => stepOf(now, 'wait').state === 'running')
    const { dataDir } = test.platform.services.config
    const places = join(dataDir, 'compute/environments')
    for (const place of await readdir(places)) await rm(join(places, place), { recursive: true })
    await writeFile(gate, 'go on\n')
    const moved = await ended(test, run)
    expect(await textOf(test, stepOf(moved, 'use').logDigest)).toBe('three\n')
    const { compute } = test.platform.services
    await vi.waitFor(async () =>
      expect((await compute.list()).filter(({ attemptId: id }) => id.startsWith(run))).toEqual([]),
    )

    for (const place of await readdir(places)) await rm(join(places, place), { recursive: true })
    const again = await runOf(test, 'moved')
    expect(stepOf(again, 'tools').cache).toEqual({ hit: false, reason: 'not made on this machine yet' })
  })

  it('that fails shows its own log, and names a file that the code lacks before anything runs', async () => {
    const failing = { ...tools, run: 'echo no such package >&2; exit 4' }
    await declare(test, 'broken', {
      code: await codeOf({ tool: '' }),
      steps: [failing, use],
    })
    const { error } = await runOf(test, 'broken')
    expect(error).toMatchObject({ code: 'step_failed', step: 'tools', exitCode: 4, log: ['no such package'] })
    const lacking = declare(test, 'broken', { code: await codeOf({ other: '' }), steps })
    await expect(lacking).rejects.toMatchObject({
      code: 'pipeline_invalid',
      problems: [{ pointer: '/spec/steps/0/files', message: 'step tools: The code holds no file "tool"' }],
    })
  })
})

it('sweeps runs whose job ended without them, and attempts that ended runs left behind', async () => {
  await declare(test, 'orphaned', { steps: [{ name: 'a', run: 'true' }] })
  const stuck = await runOf(test, 'orphaned')
  const over = await runOf(test, 'orphaned')
  const { compute } = test.platform.services
  const spec = {
    workspace: test.workspace,
    command: 'sleep 60',
    code: { bundle: new Uint8Array(1024) },
    inputs: {},
    outputs: [],
    params: {},
    env: {},
    resources: { memoryMb: 64, diskMb: 8, processes: 8 },
    timeoutMs: 60_000,
  }
  await compute.start({ ...spec, attemptId: attemptId(over.run, 'a', 2) })
  await compute.start({ ...spec, attemptId: attemptId(test.workspace, 'a', 1) })
  const error = { code: 'internal', message: 'it broke', hint: 'Retry.' }
  const job = await test.platform.transaction(test.workspace, async (db) => {
    await sql`update pipelines.run set state = 'running', ended_at = null where id = ${stuck.run}`.execute(db)
    await sql`update pipelines.run set ended_at = now() - interval '1 hour' where id = ${over.run}`.execute(db)
    await sql`
      update platform.job set state = 'failed', error = ${JSON.stringify(error)}::jsonb where id = ${stuck.job}
    `.execute(db)
    return test.platform.jobs.start(db, { job: 'sweep-runs', input: {}, actor: systemActor(test.workspace) }, [])
  })
  expect(await test.finished(job)).toEqual({ ended: 1, discarded: 1 })
  expect(await test.run(getRun, { run: stuck.run })).toMatchObject({ state: 'failed', error })
  expect((await compute.list()).map((left) => left.attemptId)).toEqual([attemptId(test.workspace, 'a', 1)])
  await compute.discard(attemptId(test.workspace, 'a', 1))
})

it('refuses commands where a second workspace could not be kept apart', async () => {
  await declare(test, 'apart', { steps: [{ name: 'a', run: 'true' }] })
  const { compute } = test.platform.services
  test.platform.services.compute = { ...compute, isolation: { kind: 'none', detail: 'Nothing keeps steps apart.' } }
  try {
    expect((await runOf(test, 'apart')).state).toBe('done')
    const other = test.platform.ids.next()
    await test.run(createWorkspace, { name: 'other' }, { as: systemActor(other) })
    expect((await runOf(test, 'apart')).error).toMatchObject({ code: 'isolation_unavailable', step: null })
  } finally {
    test.platform.services.compute = compute
  }
})
