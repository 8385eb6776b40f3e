import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Operation } from '#platform/operation.ts'
import { exitCodes, type Output } from '#platform/surfaces/command-line.ts'
import { kindsOf, manifestSchema } from '#platform/surfaces/manifests/kinds.ts'

/** One JSON Schema for each kind; a manifest names it in a `# yaml-language-server: $schema=…` line. */
export async function writeSchemas(
  directory: string,
  operations: readonly Operation[],
  output: Output,
): Promise<number> {
  await mkdir(directory, { recursive: true })
  for (const kind of kindsOf(operations)) {
    await writeFile(join(directory, `${kind.kind}.json`), `${JSON.stringify(manifestSchema(kind), null, 2)}\n`)
    output.out(join(directory, `${kind.kind}.json`))
  }
  return exitCodes.ok
}
