import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { bindRole, createPrincipal } from '#modules/identity/contract.ts'
import { grantOf } from '#modules/identity/roles.ts'
import { getRun, putPipeline, type Run, startRun } from '#modules/pipelines/contract.ts'
import type { Actor } from '#platform/actor.ts'
import { getJob } from '#platform/kernel/contract.ts'
import type { Platform } from '#platform/platform.ts'
import { type Measurement, median } from '../measurement.ts'
import type { BenchPave } from './start-pave.ts'

const rounds = 3
const steps = 100
const most = 50

/** What a step costs beside what it runs: empty commands, each after the one before, and all at once two at a time. */
export async function pipelineSteps({ controlPlane: { platform }, actor }: BenchPave): Promise<Measurement[]> {
  const author = await makeAuthor(platform, actor)
  const names = Array.from({ length: steps }, (_, index) => `step-${index + 1}`)
  const shapes = {
    'in a chain': names.map((name, index) => ({ name, after: index === 0 ? [] : names.slice(index - 1, index) })),
    'side by side': names.map((name) => ({ name })),
  }
  const measurements: Measurement[] = []
  for (const [shape, declared] of Object.entries(shapes)) {
    const pipeline = `empty-${shape.replaceAll(' ', '-')}`
    const spec = { parallelism: 2, steps: declared.map((step) => ({ ...step, run: 'true', cache: false })) }
    await platform.run(putPipeline, { actor: author, input: { pipeline, spec } })
    const [ours, bare]: [number[], number[]] = [[], []]
    for (let round = 0; round < rounds; round++) {
      bare.push((await runBare()) / steps)
      ours.push((await runPipeline(platform, author, pipeline)) / steps)
    }
    const added = median(ours) - median(bare)
    measurements.push({
      name: `${steps} empty steps ${shape}, each`,
      unit: 'ms',
      ours: median(ours),
      peer: { name: 'bare sh -c true', value: median(bare) },
      limit: { text: `${added.toFixed(1)} added, below ${most}`, met: added < most },
    })
  }
  return measurements
}

async function runPipeline(platform: Platform, actor: Actor, pipeline: string): Promise<number> {
  const started = performance.now()
  const { run, job } = await platform.run(startRun, { actor, input: { pipeline } })
  for (;;) {
    const { state } = await platform.run(getJob, { actor, input: { job, wait: 20 } })
    if (state !== 'queued' && state !== 'running') break
  }
  const took = performance.now() - started
  const ended: Run = await platform.run(getRun, { actor, input: { run } })
  if (ended.state !== 'done') throw new Error(`The run of ${pipeline} ${ended.state}: ${ended.error?.message}`)
  return took
}

async function runBare(): Promise<number> {
  const started = performance.now()
  for (let step = 0; step < steps; step++) await once(spawn('sh', ['-c', 'true'], { stdio: 'ignore' }), 'exit')
  return performance.now() - started
}

async function makeAuthor(platform: Platform, actor: Actor): Promise<Actor> {
  const { id } = await platform.run(createPrincipal, { actor, input: { name: 'ada' } })
  await platform.run(bindRole, { actor, input: { principal: 'ada', role: 'admin' } })
  return { kind: 'user', id, name: 'ada', workspace: actor.workspace, grants: [grantOf('admin', {})] }
}
