import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { Config } from '#platform/config.ts'
import type { Client } from '#platform/surfaces/client.ts'
import { clientFailure } from '#platform/surfaces/client-errors.ts'
import { exitCodes, type Output } from '#platform/surfaces/command-line.ts'
import { nothingCopied } from './import/copied.ts'
import { copyRegistry } from './import/copy-registry.ts'
import { copyTracking } from './import/copy-tracking.ts'
import { openMlflowServer } from './import/mlflow-rest.ts'
import type { MlflowSource } from './import/mlflow-source.ts'
import { openMlflowFile } from './import/mlflow-sqlite.ts'

/** Copies what another platform holds to Pave, as often as one likes. Nothing of the other is changed. */
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
      experiment: { type: 'string', multiple: true, default: [] },
      json: { type: 'boolean', default: false },
    },
  })
  const [what] = positionals
  if (what !== 'mlflow') throw usage(`import ${what ?? ''}: there is only \`pave import mlflow\``)
  if (values.from === undefined) throw usage('import mlflow: say where from, with --from URL or --from FILE')
  const source = await open(values.from, values.artifacts, config.mlflowToken)
  try {
    const say = values.json ? () => {} : output.err
    say(`copying from ${source.name}`)
    const copied = nothingCopied()
    const options = { source, client: await clientOf(), say }
    await copyTracking(options, values.experiment, copied)
    if (values.experiment.length === 0) await copyRegistry(options, copied)
    if (values.json) output.out(JSON.stringify(copied, null, 2))
    else {
      const { experiments, runs, unchanged, points, loggedModels, files, bytes, models, versions, problems } = copied
      output.out(
        `${experiments} experiments; ${runs} runs copied and ${unchanged} unchanged, ${points} metric points; ` +
          `${loggedModels} logged models; ${versions} versions of ${models} models; ${files} files of ${Math.ceil(bytes / 2 ** 20)} MiB`,
      )
      for (const { what: thing, code, message } of problems) output.out(`not copied: ${thing}: ${code}: ${message}`)
      if (problems.length > 0) output.out('Mend what is named and import again: what was copied is not copied twice.')
    }
    return copied.problems.length === 0 ? exitCodes.ok : exitCodes.refused
  } finally {
    await source.close()
  }
}

async function open(from: string, artifacts: string | undefined, token: string | undefined): Promise<MlflowSource> {
  if (/^https?:\/\//.test(from)) return openMlflowServer(from, { token })
  const file = resolve(from.replace(/^sqlite:\/\/\//, ''))
  if (!existsSync(file)) throw usage(`import mlflow: there is no file ${file}`)
  return openMlflowFile(file, { artifacts: resolve(artifacts ?? join(dirname(file), 'mlartifacts')) })
}

function usage(message: string) {
  return clientFailure('usage', message, {
    hint: 'Usage: pave import mlflow --from URL|FILE [--artifacts DIRECTORY] [--experiment NAME]… [--json]',
  })
}
