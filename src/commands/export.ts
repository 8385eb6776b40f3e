import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { Client } from '#platform/surfaces/client.ts'
import { clientFailure } from '#platform/surfaces/client-errors.ts'
import { exitCodes, type Output } from '#platform/surfaces/command-line.ts'
import { mlflowSchema } from './export/mlflow-schema.ts'
import { type Exported, writeMlflowFile } from './export/write-mlflow-file.ts'
import { openPave } from './import/mlflow-rest.ts'
import { progressOf } from './import/progress.ts'

/** Writes what Pave holds, as far as whoever asks may read it, so that an MLflow server goes on with it. */
export async function exportTo(args: string[], clientOf: () => Promise<Client>, output: Output): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      to: { type: 'string' },
      artifacts: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  })
  const [what] = positionals
  if (what !== 'mlflow') throw usage(`export ${what ?? ''}: there is only \`pave export mlflow\``)
  if (values.to === undefined) throw usage('export mlflow: say where to, with --to FILE')
  if (/^[a-z]+:\/\//.test(values.to) && !values.to.startsWith('sqlite:///')) {
    throw clientFailure('usage', `export mlflow: ${values.to} is no file`, {
      hint: 'A running server gives runs other ids and times. Export to a file, and start a server on that.',
    })
  }
  const file = resolve(values.to.replace(/^sqlite:\/\/\//, ''))
  const artifacts = resolve(values.artifacts ?? join(dirname(file), 'mlartifacts'))
  const progress = progressOf(output, values.json)
  const client = await clientOf()
  const source = openPave(client)
  try {
    progress.say(`writing ${file}, for mlflow ${mlflowSchema.version} and later`)
    const exported = await writeMlflowFile({ source, client, file, artifacts, ...progress })
    progress.end()
    tell(exported, { file, artifacts, absent: [...source.absent] }, output, values.json)
    // What Pave has not itself is no fault of the export.
    const faults = exported.problems.filter(({ code }) => code !== 'trace_attachment_not_found')
    return faults.length === 0 ? exitCodes.ok : exitCodes.refused
  } finally {
    progress.end()
  }
}

interface Told {
  file: string
  artifacts: string
  absent: string[]
}

function tell(exported: Exported, where: Told, output: Output, json: boolean): void {
  if (json) {
    const { version, revision } = mlflowSchema
    output.out(JSON.stringify({ ...exported, ...where, mlflow: version, revision }, null, 2))
    return
  }
  output.out(
    `${exported.experiments} experiments, ${exported.runs} runs, ${exported.points} metric points; ` +
      `${exported.loggedModels} logged models; ${exported.versions} versions of ${exported.models} models; ` +
      `${exported.files} files of ${Math.ceil(exported.bytes / 2 ** 20)} MiB and ${exported.unchangedFiles} that were there; ` +
      `${exported.traces} traces, ${exported.spans} spans; ${exported.records} records of ${exported.datasets} evaluation datasets`,
  )
  if (exported.webhooks > 0) output.out(`${exported.webhooks} webhooks are disabled: their secrets are told to nobody.`)
  for (const { what, code, message } of exported.problems) output.out(`not written: ${what}: ${code}: ${message}`)
  if (where.absent.length > 0) {
    output.out(`not written, because you may not see them: ${where.absent.join(', ')}`)
  }
  output.out(
    `Start it: mlflow server --backend-store-uri sqlite:///${where.file} --artifacts-destination ${where.artifacts}`,
  )
}

function usage(message: string) {
  return clientFailure('usage', message, {
    hint: 'Usage: pave export mlflow --to FILE [--artifacts DIRECTORY] [--json]',
  })
}
