import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { Config } from '#platform/config.ts'
import type { Client } from '#platform/surfaces/client.ts'
import { clientFailure } from '#platform/surfaces/client-errors.ts'
import { exitCodes, type Output } from '#platform/surfaces/command-line.ts'
import { type Copied, nothingCopied } from './import/copied.ts'
import { copyDatasets, copyWebhooks } from './import/copy-evaluation.ts'
import { copyRegistry } from './import/copy-registry.ts'
import { copyTracking } from './import/copy-tracking.ts'
import { openMlflowServer, openPave } from './import/mlflow-rest.ts'
import type { MlflowSource } from './import/mlflow-source.ts'
import { openMlflowFile } from './import/mlflow-sqlite.ts'
import { progressOf } from './import/progress.ts'
import { verifyCopy } from './import/verify-copy.ts'
import type { Verified } from './import/verify-notes.ts'

/** Copies what another platform holds to Pave, as often as one likes, or says whether it is here. Nothing of the other is changed. */
export async function importFrom(
  args: string[],
  config: Config,
  clientOf: () => Promise<Client>,
  output: Output,
): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      from: { type: 'string' },
      artifacts: { type: 'string' },
      'allow-root': { type: 'string', multiple: true, default: [] },
      experiment: { type: 'string', multiple: true, default: [] },
      verify: { type: 'boolean', default: false },
      files: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  })
  const [what] = positionals
  if (what !== 'mlflow') throw usage(`import ${what ?? ''}: there is only \`pave import mlflow\``)
  if (values.from === undefined) throw usage('import mlflow: say where from, with --from URL or --from FILE')
  const source = await open(values.from, values, config.mlflowToken)
  const progress = progressOf(output, values.json)
  try {
    const client = await clientOf()
    if (values.verify) {
      progress.say(`comparing ${source.name} with ${client.url}`)
      const here = openPave(client)
      const { experiment: only, files } = values
      const verified = await verifyCopy({ there: source, here, files, only, ...progress })
      progress.end()
      return tellVerified(verified, output, values.json)
    }
    progress.say(`copying from ${source.name}`)
    const copied = nothingCopied()
    const options = { source, client, ...progress }
    const experiments = await copyTracking(options, values.experiment, copied)
    if (values.experiment.length === 0) {
      await copyRegistry(options, copied)
      await copyDatasets(options, experiments, copied)
      await copyWebhooks(options, copied)
    }
    progress.end()
    return tellCopied(copied, source, output, values.json)
  } finally {
    progress.end()
    await source.close()
  }
}

function tellCopied(copied: Copied, { absent }: MlflowSource, output: Output, json: boolean): number {
  if (json) output.out(JSON.stringify({ ...copied, absent: [...absent] }, null, 2))
  else {
    const { runs, unchanged, traces, unchangedTraces, datasets, records, scorers, webhooks, problems } = copied
    output.out(
      `${copied.experiments} experiments; ${runs} runs copied and ${unchanged} unchanged, ${copied.points} metric points; ` +
        `${copied.loggedModels} logged models; ${copied.versions} versions of ${copied.models} models; ` +
        `${copied.files} files of ${Math.ceil(copied.bytes / 2 ** 20)} MiB; ` +
        `${traces} traces copied and ${unchangedTraces} unchanged, ${copied.spans} spans; ` +
        `${records} records of ${datasets} evaluation datasets; ${scorers} versions of scorers`,
    )
    if (webhooks > 0) {
      output.out(
        `${webhooks} webhooks came disabled and without their secrets, which nobody is told: set them and enable them.`,
      )
    }
    if (absent.size > 0)
      output.out(`not copied, because the other server does not show them: ${[...absent].join(', ')}`)
    for (const { what: thing, code, message } of problems) output.out(`not copied: ${thing}: ${code}: ${message}`)
    if (problems.length > 0) output.out('Mend what is named and import again: what was copied is not copied twice.')
  }
  return copied.problems.length === 0 ? exitCodes.ok : exitCodes.refused
}

function tellVerified(verified: Verified, output: Output, json: boolean): number {
  const { counts, differences, differing, absent } = verified
  if (json) output.out(JSON.stringify(verified, null, 2))
  else {
    for (const [kind, { there, here }] of Object.entries(counts)) {
      if (there > 0 || here > 0) output.out(`${kind}: ${there} there, ${here} here`)
    }
    for (const { what, message } of differences) output.out(`${what}: ${message}`)
    if (differing > differences.length) output.out(`and ${differing - differences.length} differences more`)
    if (absent.length > 0) output.out(`not compared, because one side does not show them: ${absent.join(', ')}`)
    const all = absent.length === 0 ? 'All of it' : 'All that was compared'
    output.out(differing === 0 ? `${all} is here, as it is there.` : `${differing} differences.`)
  }
  return differing === 0 && absent.length === 0 ? exitCodes.ok : exitCodes.refused
}

interface Places {
  artifacts?: string | undefined
  'allow-root': string[]
}

async function open(from: string, places: Places, token: string | undefined): Promise<MlflowSource> {
  if (/^https?:\/\//.test(from)) return openMlflowServer(from, { token })
  const file = resolve(from.replace(/^sqlite:\/\/\//, ''))
  if (!existsSync(file)) throw usage(`import mlflow: there is no file ${file}`)
  return openMlflowFile(file, {
    artifacts: resolve(places.artifacts ?? join(dirname(file), 'mlartifacts')),
    allowed: places['allow-root'],
  })
}

function usage(message: string) {
  return clientFailure('usage', message, {
    hint: 'Usage: pave import mlflow --from URL|FILE [--artifacts DIRECTORY] [--allow-root DIRECTORY]… [--experiment NAME]… [--verify [--files]] [--json]',
  })
}
