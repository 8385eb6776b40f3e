import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { ErrorDefinition } from '#platform/errors.ts'
import { table } from './table.ts'

export interface ErrorTable {
  /** The file that declares it, relative to `src`. */
  file: string
  errors: Record<string, ErrorDefinition>
}

const src = join(import.meta.dirname, '..', '..', 'src')

/** Every table that the code declares, found by its call of `defineErrors`. */
export async function errorTables(): Promise<ErrorTable[]> {
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' })
    .filter((file) => /(?<!\.(test|fixture))\.ts$/.test(file) && file !== 'platform/errors.ts')
    .filter((file) => readFileSync(join(src, file), 'utf8').includes('defineErrors('))
  const tables: ErrorTable[] = []
  for (const file of ['platform/errors.ts', ...files.sort()]) {
    const exported: Record<string, unknown> = await import(pathToFileURL(join(src, file)).href)
    const errors = Object.values(exported).filter(isErrorTable)
    if (errors.length === 0) throw new Error(`${file} declares errors but exports no table of them`)
    tables.push({ file, errors: Object.assign({}, ...errors) })
  }
  return tables
}

export async function errorsPage(): Promise<string> {
  const sections = (await errorTables()).map(
    ({ file, errors }) =>
      `## ${nameOf(file)}\n\n${table(
        ['Code', 'Status', 'Meaning', 'Way out'],
        Object.entries(errors).map(([code, { status, summary, hint }]) => [
          `<a id="${code}"></a>\`${code}\``,
          String(status),
          summary,
          hint,
        ]),
      )}\n`,
  )
  return `# Errors

The API answers a refusal with problem details (RFC 9457, \`application/problem+json\`): \`code\` is one of the codes below
and stays what it is, \`detail\` names the thing, \`hint\` is the way out, \`problems\` lists the offending fields by JSON
pointer, and \`details\` holds machine-readable particulars. The command line prints the same; its exit codes are in
[command-line.md](command-line.md).

${sections.join('\n')}`
}

function nameOf(file: string): string {
  const words = /^modules\/([a-z-]+)\//.exec(file)?.[1] ?? /^(inference)\//.exec(file)?.[1] ?? titles[file]
  if (words === undefined) throw new Error(`${file} declares errors; say in titles what they are about`)
  return words.replaceAll('-', ' ').replace(/^./, (letter) => letter.toUpperCase())
}

const titles: Record<string, string> = {
  'platform/errors.ts': 'every operation',
  'platform/analytics/errors.ts': 'analytics',
  'platform/compute/compute.ts': 'compute',
  'platform/egress.ts': 'outgoing requests',
  'platform/expressions/errors.ts': 'expressions',
  'platform/ledger/ledger-errors.ts': 'ledger',
  'platform/startup-error.ts': 'starting Pave',
  'platform/storage/objects/object-store.ts': 'objects',
  'platform/storage/online/online-store.ts': 'online features',
  'platform/surfaces/client-errors.ts': 'command line and client',
}

function isErrorTable(value: unknown): value is Record<string, ErrorDefinition> {
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.values(value).length > 0 &&
    Object.values(value).every(isDefinition)
  )
}

function isDefinition(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'status' in value && 'summary' in value && 'hint' in value
}
