import type { Run } from '../src/modules/pipelines/contract.ts'
import { getRun, startRun } from '../src/modules/pipelines/contract.ts'
import type { Version } from '../src/modules/registry/contract.ts'
import { getVersion } from '../src/modules/registry/contract.ts'
import type { Client } from '../src/platform/surfaces/client.ts'
import type { Narrator } from './narrate.ts'
import { patiently } from './patience.ts'
import type { ProgressFile } from './progress.ts'

export const pipeline = 'train-flight-delays'

/** Starts the pipeline under a name of ours, once however often the demo is restarted, and follows it to its version. */
export async function runPipeline(
  client: Client,
  file: ProgressFile,
  narrator: Narrator,
  name: string,
  params: Record<string, string | number>,
): Promise<Version> {
  const { runs, startedAt } = file.progress
  const known = runs[name]
  const run =
    known ??
    (
      await patiently(() =>
        client.call(startRun, { pipeline, params, reason: name }, { idempotencyKey: `demo ${startedAt} ${name}` }),
      )
    ).run
  runs[name] = run
  await file.save()
  return followRun(client, narrator, run)
}

/** Tells each step as it ends; answers the version that the run registered. */
export async function followRun(client: Client, narrator: Narrator, run: string): Promise<Version> {
  const told = new Set<string>()
  for (;;) {
    const state: Run = await patiently(() => client.call(getRun, { run }))
    for (const step of state.steps) {
      if (step.state !== 'done' || told.has(step.step)) continue
      told.add(step.step)
      const seconds = (Date.parse(step.endedAt ?? '') - Date.parse(step.startedAt ?? '')) / 1000
      narrator.note(
        `  ${step.step} ${step.cache?.hit ? `from cache: ${step.cache.reason}` : `${seconds.toFixed(1)} s`}`,
      )
    }
    const running = state.steps.find((step) => step.state === 'running')
    if (running !== undefined) narrator.progress(told.size / state.steps.length, running.step)
    if (state.state === 'done') {
      const result = state.steps.find((step) => step.step === 'register')?.result
      const ref = typeof result === 'object' && result !== null && 'ref' in result ? String(result.ref) : ''
      return patiently(() => client.call(getVersion, { version: ref }))
    }
    if (state.state === 'failed' || state.state === 'cancelled') {
      throw new Error(
        `The pipeline run ${run} ${state.state}: ${state.error?.message ?? ''}\n${state.error?.log.join('\n') ?? ''}`,
      )
    }
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}
