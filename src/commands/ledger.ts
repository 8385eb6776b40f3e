import pg from 'pg'
import type { Config } from '#platform/config.ts'
import { checkpointsFile } from '#platform/create-platform.ts'
import { chooseDataDirectory } from '#platform/data-directory.ts'
import { verifyLedger } from '#platform/kernel/contract.ts'
import { exportLedger } from '#platform/ledger/export.ts'
import { keyFiles, loadSigningKey, loadVerifierKey } from '#platform/ledger/signing-key.ts'
import { verifyLedgerFile } from '#platform/ledger/verify-file.ts'
import type { Client } from '#platform/surfaces/client.ts'
import { clientFailure } from '#platform/surfaces/client-errors.ts'
import { exitCodes, type Output } from '#platform/surfaces/command-line.ts'

/** `verify` asks the server; `verify --file` needs nothing but files; `export` writes such a file. */
export async function ledger(
  args: readonly string[],
  config: Config,
  client: () => Promise<Client>,
  output: Output,
): Promise<number> {
  const [verb] = args
  const option = (name: string) => (args.includes(name) ? args[args.indexOf(name) + 1] : undefined)
  const dataDir = await chooseDataDirectory({ configured: config.dataDir, cwd: config.cwd, uid: config.uid })
  if (verb === 'verify') {
    const file = option('--file')
    const report =
      file === undefined
        ? await (await client()).call(verifyLedger, {})
        : await verifyLedgerFile({
            entriesFile: file,
            checkpointsFile: option('--checkpoints') ?? checkpointsFile(dataDir),
            publicKey: await loadVerifierKey(option('--key') ?? keyFiles(dataDir).publicFile),
          })
    for (const problem of report.problems) output.err(problem)
    const good = report.problems.length === 0
    output.out(
      `${report.entries} entries, ${report.checkpoints} signed checkpoints: ${good ? 'verified' : `${report.problems.length} PROBLEM(S)`}`,
    )
    return good ? exitCodes.ok : exitCodes.refused
  }
  const [, path] = args
  if (verb === 'export' && path !== undefined) {
    if (config.databaseUrl === undefined) {
      throw clientFailure('usage', 'An export reads the database itself', {
        hint: 'Set DATABASE_URL to the address of the database.',
      })
    }
    const database = new pg.Client({ connectionString: config.databaseUrl })
    await database.connect()
    try {
      const entries = await exportLedger({ client: database, path, key: await loadSigningKey(dataDir) })
      output.out(`${entries} entries written to ${path}`)
    } finally {
      await database.end()
    }
    return exitCodes.ok
  }
  throw clientFailure('usage', 'ledger verify, or ledger export FILE', { hint: 'pave ledger --help' })
}
