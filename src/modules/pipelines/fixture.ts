import { appendFile, readFile } from 'node:fs/promises'
import pino from 'pino'
import { z } from 'zod'
import { systemActor } from '#platform/actor.ts'
import { loadConfig } from '#platform/config.ts'
import { handle } from '#platform/context.ts'
import { startControlPlane } from '#platform/control-plane.ts'
import { defineJob } from '#platform/job.ts'
import { defineModule } from '#platform/module.ts'
import { Name } from '#platform/names.ts'
import { type AnswerOf, type Operation, operation } from '#platform/operation.ts'
import type { Platform } from '#platform/platform.ts'
import type { TestPlatform } from '#testing/platform.ts'
import { datasets } from '../datasets/module.ts'
import { featureStore } from '../feature-store/module.ts'
import { identity } from '../identity/module.ts'
import { registry } from '../registry/module.ts'
import { getRun, type PipelineSpec, putPipeline, type Run, startRun } from './contract.ts'
import { pipelines } from './module.ts'

const CountInput = z.object({ name: Name, log: z.string(), wait: z.string().optional() })

/** A job for steps to run: it leaves a line in a file each time, and may wait for another file to appear. */
const countThings = operation({
  name: 'count-things',
  method: 'POST',
  path: '/api/v1/things/:name/counts',
  summary: 'Count things',
  effect: 'write',
  permission: { verb: 'dataset:count', on: [] },
  errors: [],
  input: CountInput,
  output: z.object({ job: z.uuid() }),
  job: true,
})

const countJob = defineJob({
  name: 'count-things',
  input: CountInput,
  retries: 0,
  timeoutMs: 30_000,
  async run({ services, signal }, { name, log, wait }) {
    await appendFile(log, `${name}\n`)
    while (wait !== undefined && (await linesOf(wait)).length === 0) {
      signal.throwIfAborted()
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    const { digest } = await services.objects.put(JSON.stringify({ name, count: 3 }))
    return { name, count: 3, tags: { count: '3' }, object: digest }
  },
})

const things = defineModule({
  name: 'things',
  handlers: [handle(countThings, async (ctx, input) => ({ job: await ctx.startJob('count-things', input) }))],
  jobs: [countJob],
})

/** Of the tests that open a control plane by themselves. */
export const workspace = '00000000-0000-7000-8000-00000000abcd'

export const modules = [identity, datasets, featureStore, registry, pipelines, things]

export async function declare(test: TestPlatform, pipeline: string, spec: z.input<typeof PipelineSpec>) {
  return (await test.run(putPipeline, { pipeline, spec }, { as: await test.as('ada') })).spec
}

export async function start(test: TestPlatform, pipeline: string, params: Run['params'] = {}): Promise<string> {
  return (await test.run(startRun, { pipeline, params }, { as: await test.as('ada') })).run
}

/** Waits for the end, however it came. */
export async function ended(test: TestPlatform, run: string): Promise<Run> {
  return until(test, run, ({ state }) => state !== 'queued' && state !== 'running')
}

export async function until(test: TestPlatform, run: string, holds: (run: Run) => boolean): Promise<Run> {
  for (;;) {
    const now = await test.run(getRun, { run })
    if (holds(now)) return now
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

export async function runOf(test: TestPlatform, pipeline: string, params: Run['params'] = {}): Promise<Run> {
  return ended(test, await start(test, pipeline, params))
}

export function stepOf(run: Run, name: string) {
  const step = run.steps.find((one) => one.step === name)
  if (step === undefined) throw new Error(`The run has no step ${name}`)
  return step
}

/** Lines of a file that may not be there yet. */
export async function linesOf(file: string): Promise<string[]> {
  const text = await readFile(file, 'utf8').catch(() => '')
  return text.split('\n').filter((line) => line !== '')
}

export async function textOf(test: TestPlatform, digest: string | null | undefined): Promise<string> {
  return (await test.platform.services.objects.read(digest ?? '', { maxBytes: 1_000_000 })).toString()
}

/** A control plane on a database and a data directory that an earlier one may have left in any state. */
export async function openControlPlane({ url, dataDir }: { url: string; dataDir: string }) {
  const { platform, stop } = await startControlPlane({
    config: { ...loadConfig({}), dataDir },
    databaseUrl: url,
    modules,
    log: pino({ level: 'silent' }),
    alone: true,
    workspaces: async () => [workspace],
    migrated: true,
  })
  return { platform, stop, runAs: runAsSystem(platform) }
}

export function runAsSystem(platform: Platform) {
  return <Op extends Operation>(operation: Op, input: z.input<Op['input']>): Promise<AnswerOf<Op>> =>
    platform.run(operation, { actor: systemActor(workspace), input })
}
