import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '#platform/clock.ts'
import type { Config } from '#platform/config.ts'
import { chooseDataDirectory } from '#platform/data-directory.ts'
import { openPool } from '#platform/storage/database/database.ts'
import { exitCodes, type Output } from '#platform/surfaces/command-line.ts'
import { type Check, type Finding, fail, reasonOf, type Site, skipped } from './doctor/check.ts'
import { checks } from './doctor/checks.ts'
import { readHolder } from './doctor/machine.ts'
import { type ReachedDatabase, reachDatabase } from './reach-database.ts'

const signs = { ok: 'ok  ', warn: 'WARN', fail: 'FAIL', skipped: '-   ' } as const

/** Looks at everything, whether Pave runs or not, and says what is wrong, why it matters, and what mends it. */
export async function doctor(args: readonly string[], config: Config, output: Output): Promise<number> {
  const dataDir = await chooseDataDirectory({ configured: config.dataDir, cwd: config.cwd, uid: config.uid }).catch(
    // What is wrong with it is for the checks to say.
    () => join(config.cwd, config.dataDir ?? '.pave'),
  )
  const exists = await stat(join(dataDir, 'keys')).then(
    () => true,
    () => false,
  )
  const reached = await reach(config, dataDir, exists)
  const site: Site = {
    config,
    dataDir,
    exists,
    running: await isRunning(dataDir, reached),
    now: systemClock.now(),
  }
  try {
    const findings = await lookAtAll(checks, site, reached)
    if (args.includes('--json')) output.out(JSON.stringify({ dataDir, findings }, null, 2))
    else show(findings, output)
    return findings.some(({ level }) => level === 'fail') ? exitCodes.refused : exitCodes.ok
  } finally {
    await reached.database?.close()
  }
}

interface Reached {
  database: ReachedDatabase | undefined
  /** Why there is none. */
  error: unknown
}

async function reach(config: Config, dataDir: string, exists: boolean): Promise<Reached> {
  if (!exists && config.databaseUrl === undefined) return { database: undefined, error: undefined }
  try {
    return {
      database: await reachDatabase(config, dataDir, { command: 'pave doctor', onProgress: () => {} }),
      error: undefined,
    }
  } catch (error) {
    return { database: undefined, error }
  }
}

/** The bundled PostgreSQL answers only while somebody holds the directory; with another one, the holder must be alive. */
async function isRunning(dataDir: string, { database }: Reached): Promise<boolean> {
  if (database?.started === true) return false
  const holder = await readHolder(dataDir)
  if (holder === undefined || holder.pid === process.pid) return false
  try {
    process.kill(holder.pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/** One check that breaks keeps none from looking. */
async function lookAtAll(all: readonly Check[], site: Site, reached: Reached): Promise<Finding[]> {
  const pool =
    reached.database &&
    openPool(reached.database.url, 'pave_owner', { max: 1, onError: () => {}, applicationName: 'pave doctor' })
  const findings: Finding[] = []
  const unseen: string[] = []
  try {
    const client = await pool?.connect().catch((error: unknown) => {
      reached.error = error
      return undefined
    })
    await client?.query('set default_transaction_read_only = on')
    if (reached.error !== undefined) findings.push(unreachable(reached.error))
    for (const check of all) {
      try {
        if (!('database' in check)) findings.push(...(await check.look(site)))
        else if (client === undefined) unseen.push(check.name)
        else findings.push(...(await check.look({ ...site, database: client })))
      } catch (error) {
        const { what } = reasonOf(error)
        findings.push(
          fail('check-broke', `${check.name} could not be looked at: ${what}`, 'What it looks at may be wrong'),
        )
      }
    }
    client?.release(true)
    if (unseen.length > 0) findings.push(skipped('database', `not looked at without one: ${unseen.join(', ')}`))
    return findings
  } finally {
    await pool?.end()
  }
}

function unreachable(error: unknown): Finding {
  const { what, hint } = reasonOf(error)
  return fail('database-unreachable', what, 'Without its database the control plane answers nothing', ...hint)
}

function show(findings: readonly Finding[], output: Output): void {
  for (const { level, code, what, why, mend } of findings) {
    output.out(`${signs[level]}  ${code}: ${what}`)
    if (why !== '') output.out(`      ${why}.`)
    for (const step of mend) output.out(`      → ${step}`)
  }
  const count = (level: Finding['level']) => findings.filter((finding) => finding.level === level).length
  output.out(`${count('ok')} ok, ${count('warn')} to look at, ${count('fail')} wrong`)
}
