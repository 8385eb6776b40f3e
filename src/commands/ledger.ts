import type { Config } from '#platform/config.ts'
import { checkpointsFile } from '#platform/create-platform.ts'
import { chooseDataDirectory } from '#platform/data-directory.ts'
import { exportLedger, verifyLedger } from '#platform/kernel/contract.ts'
import { keyFiles, loadVerifierKey } from '#platform/ledger/signing-key.ts'
import { verifyLedgerFile } from '#platform/ledger/verify-file.ts'
import { verifyProofFile } from '#platform/ledger/verify-proof.ts'
import type { Client } from '#platform/surfaces/client.ts'
import { clientFailure } from '#platform/surfaces/client-errors.ts'
import { exitCodes, type Output } from '#platform/surfaces/command-line.ts'

/**
 * `verify` asks the server; `verify --file` and `verify --proof` need nothing but files; `export` has the server write a
 * file of the whole ledger.
 */
export async function ledger(
  args: readonly string[],
  config: Config,
  client: () => Promise<Client>,
  output: Output,
): Promise<number> {
  const [verb] = args
  const option = (name: string) => (args.includes(name) ? args[args.indexOf(name) + 1] : undefined)
  const dataDir = await chooseDataDirectory({ configured: config.dataDir, cwd: config.cwd, uid: config.uid })
  const publicKey = () => loadVerifierKey(option('--key') ?? keyFiles(dataDir).publicFile)
  const proof = option('--proof')
  if (verb === 'verify' && proof !== undefined) {
    const { origin, leaf, size, body } = await verifyProofFile(proof, await publicKey())
    output.out(body)
    output.out(`leaf ${leaf} of the ${size} entries that ${origin} signed: verified`)
    return exitCodes.ok
  }
  if (verb === 'verify') {
    const file = option('--file')
    const report =
      file === undefined
        ? await (await client()).call(verifyLedger, {})
        : await verifyLedgerFile({
            entriesFile: file,
            checkpointsFile: option('--checkpoints') ?? checkpointsFile(dataDir),
            publicKey: await publicKey(),
          })
    for (const statement of report.statements) output.out(statement)
    for (const problem of report.problems) output.err(problem)
    const good = report.problems.length === 0
    output.out(
      `${report.entries} entries, ${report.checkpoints} signed checkpoints: ${good ? 'verified' : `${report.problems.length} PROBLEM(S)`}`,
    )
    return good ? exitCodes.ok : exitCodes.refused
  }
  if (verb === 'export') {
    const exported = await (await client()).call(exportLedger, {})
    output.out(`${exported.entries} entries written to ${exported.path}`)
    return exitCodes.ok
  }
  throw clientFailure('usage', 'ledger verify, or ledger export', { hint: 'pave ledger --help' })
}
