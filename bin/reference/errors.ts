import { inferenceErrors } from '#inference/errors.ts'
import { modules } from '#modules/index.ts'
import { analyticsErrors } from '#platform/analytics/errors.ts'
import { backupErrors } from '#platform/backup/errors.ts'
import { computeErrors } from '#platform/compute/compute.ts'
import { egressErrors } from '#platform/egress.ts'
import { type ErrorDefinition, platformErrors } from '#platform/errors.ts'
import { expressionErrors } from '#platform/expressions/errors.ts'
import { ledgerErrors } from '#platform/ledger/ledger-errors.ts'
import { startupErrors } from '#platform/startup-error.ts'
import { objectErrors } from '#platform/storage/objects/object-store.ts'
import { onlineErrors } from '#platform/storage/online/online-store.ts'
import { clientErrors } from '#platform/surfaces/client-errors.ts'
import { tlsErrors } from '#platform/tls/errors.ts'
import { plainText, table } from './table.ts'

export interface ErrorTable {
  title: string
  errors: Record<string, ErrorDefinition>
}

/** Every table of `defineErrors`; a test counts them. */
export const errorTables: readonly ErrorTable[] = [
  { title: 'Every operation', errors: platformErrors },
  ...modules.flatMap(({ name, errors }) => (errors === undefined ? [] : [{ title: titleOf(name), errors }])),
  { title: 'Inference', errors: inferenceErrors },
  { title: 'Command line and client', errors: clientErrors },
  { title: 'Starting Pave', errors: startupErrors },
  { title: 'Backup and restore', errors: backupErrors },
  { title: 'Ledger', errors: ledgerErrors },
  { title: 'Expressions', errors: expressionErrors },
  { title: 'Objects', errors: objectErrors },
  { title: 'Online features', errors: onlineErrors },
  { title: 'Analytics', errors: analyticsErrors },
  { title: 'Compute', errors: computeErrors },
  { title: 'Outgoing requests', errors: egressErrors },
  { title: 'TLS', errors: tlsErrors },
]

export function errorsPage(): string {
  const sections = errorTables.map(
    ({ title, errors }) =>
      `## ${title}\n\n${table(
        ['Code', 'Status', 'Meaning', 'Way out'],
        Object.entries(errors).map(([code, { status, summary, hint }]) => [
          `<a id="${code}"></a>\`${code}\``,
          String(status),
          plainText(summary),
          plainText(hint),
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

function titleOf(module: string): string {
  return module.replaceAll('-', ' ').replace(/^./, (letter) => letter.toUpperCase())
}
