import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { operations } from '../src/modules/contracts.ts'
import { listDatasetVersions } from '../src/modules/datasets/contract.ts'
import { materializeViews } from '../src/modules/feature-store/contract.ts'
import { exportEvidence } from '../src/modules/governance/contract.ts'
import { listIncidents } from '../src/modules/incidents/contract.ts'
import { listFindings } from '../src/modules/monitoring/contract.ts'
import { getRun, listRuns } from '../src/modules/pipelines/contract.ts'
import { realisedPerformance } from '../src/modules/predictions/contract.ts'
import { listVersions, type Version } from '../src/modules/registry/contract.ts'
import { listReleases, type Release } from '../src/modules/releases/contract.ts'
import { chooseDataDirectory } from '../src/platform/data-directory.ts'
import { PaveError } from '../src/platform/errors.ts'
import { getJob, listEntries, verifyLedger } from '../src/platform/kernel/contract.ts'
import type { Client } from '../src/platform/surfaces/client.ts'
import { applyChanges, planManifests } from '../src/platform/surfaces/manifests/apply-manifests.ts'
import { kindsOf } from '../src/platform/surfaces/manifests/kinds.ts'
import { readManifests } from '../src/platform/surfaces/manifests/read-manifests.ts'
import { createAsker } from './ask.ts'
import { loadFlights } from './flights.ts'
import { createNarrator, type Narrator } from './narrate.ts'
import { readOptions } from './options.ts'
import { patiently } from './patience.ts'
import { introducePeople, type People } from './people.ts'
import { followRun, pipeline, runPipeline } from './pipeline-runs.ts'
import { openProgress, type ProgressFile } from './progress.ts'
import { gatesOf, nodesFollow, place, readEndpoint, releaseVersion } from './release.ts'
import { replay } from './replay.ts'
import { type RunningPave, startPave } from './start-pave.ts'
import { quantile, renderSummary, type Summary } from './summary.ts'

const example = join(import.meta.dirname, '../examples/flight-delays')
const firstDay = Date.parse('2001-03-11T00:00:00Z')
/** Some outcomes of March 10 are known only during March 11: questions start when all of them are. */
const firstQuestion = Date.parse('2001-03-11T12:00:00Z')

const options = readOptions(process.argv.slice(2))
const lastDay = options.until
/** The day on which a candidate with a genuine mistake is released on purpose: four weeks before the end of a whole season. */
const mistakeDay = Math.min(Date.parse('2001-06-03T00:00:00Z'), lastDay - 7 * 86_400_000)
const narrator = createNarrator(() => performance.now())
/** What each kind of finding measures. */
const metricOf = { drift: 'PSI', prediction_drift: 'PSI', performance: 'AUC', calibration: 'ECE' } as const
/** What was last said of each release. */
const told = new Map<string, string>()

let pave: RunningPave | undefined
let file: ProgressFile | undefined
let interrupted = false
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void interrupt())
try {
  const dataDir = options.dataDir ?? (await defaultDataDirectory())
  file = await openProgress(dataDir, Date.now())
  narrator.stage(
    {
      fresh: `starting Pave on this machine, in ${dataDir}`,
      resumed: `taking up the job in ${dataDir} where it was interrupted`,
      again: `starting over in ${dataDir}; the finished demo there was deleted`,
    }[file.beginning],
  )
  pave = await startPave({ ...options, dataDir }, narrator)
  await file.save()
  const summary = await runJob(pave, dataDir, narrator, file)
  process.stdout.write(renderSummary(summary))
  if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(summary, null, 2)}\n`)
  if (!options.exit) {
    process.stdout.write(
      [
        `console    ${pave.url}`,
        `sign in    ${await freshLink(pave)}`,
        '',
        `Ctrl-C stops everything; PAVE_DATA_DIR=${dataDir} npm run pave -- up   starts it again as it is.`,
        '',
      ].join('\n'),
    )
    await new Promise<never>(() => {})
  }
  await pave.stop()
  process.exitCode = summary.failed_requests === 0 && summary.ledger.verified ? 0 : 1
} catch (error) {
  narrator.note(explained(error))
  await pave?.stop()
  process.exitCode = 1
}

/** Ctrl-C ends all that was started; the second one does not wait for it. */
async function interrupt(): Promise<void> {
  if (interrupted) process.exit(130)
  interrupted = true
  const finished = file?.progress.finished === true
  narrator.note(finished ? 'stopping' : 'stopping; `npm run demo` goes on where it was interrupted')
  await pave?.stop()
  process.exit(finished ? 0 : 130)
}

function dayText(at: number): string {
  return new Date(at).toLocaleDateString('en', { month: 'long', day: 'numeric', timeZone: 'UTC' })
}

function explained(error: unknown): string {
  if (error instanceof PaveError) return `${error.code}: ${error.message}\n${error.hint}`
  return error instanceof Error ? error.message : String(error)
}

/** Beside what `pave up` keeps in this checkout. */
async function defaultDataDirectory(): Promise<string> {
  const cwd = join(import.meta.dirname, '..')
  return join(await chooseDataDirectory({ configured: undefined, cwd, uid: process.geteuid?.() }), 'demo')
}

async function runJob(pave: RunningPave, dataDir: string, narrator: Narrator, file: ProgressFile): Promise<Summary> {
  const { progress } = file
  const people = await introducePeople(pave.admin)
  const { ada } = people

  narrator.stage('applying the manifests of examples/flight-delays')
  const changes = await planManifests(
    ada,
    await readManifests(example, kindsOf(operations.map((one) => one.operation))),
  )
  await applyChanges(ada, changes, () => {})
  narrator.done(
    `${changes.filter((change) => change.action !== 'unchanged').length} of ${changes.length} resources changed`,
  )

  narrator.stage('first model: January and February, judged on early March')
  const first = await runPipeline(ada, file, narrator, 'first model', {})
  await tellVersion(ada, narrator, first)
  if (progress.replayedHours === 0) await release(people, narrator, first)

  narrator.stage('a careless candidate: two trees on two thousand rows')
  const careless = await runPipeline(ada, file, narrator, 'careless candidate', { trees: 2, max_rows: 2000 })
  await tellVersion(ada, narrator, careless)
  const refused = await releaseVersion(people, careless.ref)
  narrator.done(refused.started ? 'released?!' : `not released: ${(await gatesOf(ada, careless.ref)).why}`)

  if (!progress.materialized) {
    narrator.stage('filling the online features up to March 11')
    await finished(ada, (await patiently(() => ada.call(materializeViews, { dataset: first.datasets[0] ?? '' }))).job)
    progress.materialized = true
    await file.save()
  }

  narrator.stage(`replaying March 11 to ${dayText(lastDay - 1)} in event order`)
  const flights = await loadFlights(firstDay, lastDay, firstQuestion, options.sample)
  narrator.note(
    `${flights.count.toLocaleString('en')} outcomes stream in, ${flights.asked.length.toLocaleString('en')} flights are asked about`,
  )
  await nodesFollow(ada)
  const asker = createAsker(pave.inferenceUrl, people.productToken)
  await replay({
    client: ada,
    asker,
    flights,
    file,
    from: firstDay,
    to: lastDay,
    onHour: (fraction, at) =>
      narrator.progress(
        fraction,
        `${new Date(at).toISOString().slice(0, 10)}  ${progress.requests} requests, ${progress.failedRequests} failed`,
      ),
    onDay: (at) => onDay(people, narrator, file, at),
  })
  await asker.close()
  narrator.done(`${progress.requests.toLocaleString('en')} requests, ${progress.failedRequests} failed`)

  narrator.stage('verifying the ledger and gathering evidence')
  await file.save()
  const summary = await summarise(pave, people, dataDir, file)
  progress.finished = true
  await file.save()
  return summary
}

/** What happens between two days of event time: monitors may have found something, a release may have moved. */
async function onDay(people: People, narrator: Narrator, file: ProgressFile, at: number): Promise<void> {
  const { ada } = people
  await tellReleases(ada, narrator)
  const { items } = await patiently(() => ada.call(listRuns, { pipeline, limit: 20 }))
  const ours = new Set(Object.values(file.progress.runs))
  const retraining = items.find((run) => !ours.has(run.run))
  if (retraining !== undefined) {
    narrator.stage(`the monitor found a change and started the pipeline: ${retraining.reason}`)
    file.progress.runs.retrained = retraining.run
    const version = await followRun(ada, narrator, retraining.run)
    await tellVersion(ada, narrator, version)
    await release(people, narrator, version)
    await file.save()
    narrator.stage('going on with the replay')
  }
  if (at === mistakeDay) {
    narrator.stage('a candidate with a genuine mistake: trained on kilometres, served miles')
    const mistaken = await runPipeline(ada, file, narrator, 'mistaken candidate', { distance_unit: 'kilometres' })
    await tellVersion(ada, narrator, mistaken)
    await release(people, narrator, mistaken)
    narrator.stage('going on with the replay')
  }
}

async function release(people: People, narrator: Narrator, version: Version): Promise<void> {
  const gates = await gatesOf(people.ada, version.ref)
  narrator.note(`gates: ${gates.passed ? 'passed' : `failed, ${gates.why}`}`)
  const { started, refusal } = await releaseVersion(people, version.ref)
  if (!started) return narrator.done(`not released: ${refusal}`)
  const endpoint = await readEndpoint(people.ada)
  narrator.done(`${version.ref} approved by Grace; state ${endpoint.release?.state}`)
}

async function tellVersion(client: Client, narrator: Narrator, version: Version): Promise<void> {
  const auc = version.metrics.auc ?? Number.NaN
  const baseline = version.baseline?.metrics.auc ?? Number.NaN
  await readEndpoint(client)
  narrator.done(`${version.ref}: AUC ${auc.toFixed(3)}, baseline ${baseline.toFixed(3)}`)
}

async function tellReleases(client: Client, narrator: Narrator): Promise<void> {
  const { items } = await patiently(() => client.call(listReleases, { ...place, limit: 10 }))
  for (const one of items) {
    const now = `${one.state} ${one.weight}`
    if (told.get(one.id) === now) continue
    told.set(one.id, now)
    narrator.note(
      `${one.version}: ${one.state}, ${one.weight / 100} % of traffic${one.reason === null ? '' : ` (${one.reason})`}`,
    )
  }
}

async function finished(client: Client, job: string): Promise<void> {
  for (;;) {
    const state = await patiently(() => client.call(getJob, { job, wait: 10 }))
    if (state.state === 'done') return
    if (state.state !== 'queued' && state.state !== 'running')
      throw new Error(`${state.job} ${state.state}: ${state.error?.message}`)
  }
}

async function freshLink(pave: RunningPave): Promise<string> {
  const { createSignInLink } = await import('../src/modules/identity/contract.ts')
  const { code } = await patiently(() => pave.admin.call(createSignInLink, { principal: 'admin' }))
  return `${pave.url}/sign-in#${code}`
}

async function summarise(pave: RunningPave, people: People, dataDir: string, file: ProgressFile): Promise<Summary> {
  const { progress } = file
  const { ada } = people
  const { items: versions } = await patiently(() => ada.call(listVersions, { model: 'flight-delays', limit: 50 }))
  const { items: releases } = await patiently(() => ada.call(listReleases, { ...place, limit: 50 }))
  const { items: live } = await patiently(() => ada.call(realisedPerformance, place))
  const { items: findings } = await patiently(() => ada.call(listFindings, { limit: 200 }))
  const { items: incidents } = await patiently(() => ada.call(listIncidents, { limit: 50 }))
  const endpoint = await readEndpoint(ada)
  const gates = await Promise.all(versions.map((version) => gatesOf(ada, version.ref)))
  const datasets = await patiently(() => ada.call(listDatasetVersions, { dataset: 'flights', limit: 50 }))
  const firstData = datasets.items.at(-1)
  const retrained = progress.runs.retrained
  const ledger = await patiently(() => pave.admin.call(verifyLedger, {}), 120_000)
  const statusOf = (ref: string): { status: string; why: string } => {
    const release = releases.find((one) => one.version === ref)
    const gate = gates.find((one) => one.version === ref)
    if (ref === endpoint.version) return { status: 'serving', why: 'released in steps, every guardrail held' }
    if (release?.state === 'rolled-back') return { status: 'rolled back', why: release.reason ?? '' }
    if (release?.state === 'completed') return { status: 'served before', why: 'replaced by a newer version' }
    if (gate !== undefined && !gate.passed) return { status: 'refused', why: gate.why }
    return { status: 'registered', why: 'never released' }
  }
  return {
    seconds: Number(progress.seconds.toFixed(1)),
    dataset: {
      rows: firstData?.rows ?? 0,
      quarantined: Object.values(firstData?.quarantined ?? {}).reduce((sum, count) => sum + count, 0),
    },
    training: { rows: await trainingRows(ada, progress.runs['first model'] ?? '') },
    versions: versions
      .map((version) => ({
        version: version.ref,
        auc: version.metrics.auc ?? 0,
        baseline_auc: version.baseline?.metrics.auc ?? 0,
        live_auc: live.find((one) => one.version === version.ref && one.variant === 'primary')?.auc ?? null,
        ...statusOf(version.ref),
      }))
      .reverse(),
    gates: gates
      .map((gate) => ({ version: gate.version, passed: gate.passed, failed_rules: gate.failedRules }))
      .reverse(),
    requests: progress.requests,
    failed_requests: progress.failedRequests,
    latency_ms: { p50: quantile(progress.latencies, 0.5), p99: quantile(progress.latencies, 0.99) },
    drift: findings
      .map((finding) => ({
        feature: finding.feature ?? 'prediction',
        metric: metricOf[finding.kind],
        value: finding.value,
        since: finding.since,
      }))
      .sort((a, b) => b.value - a.value),
    retrained: retrained === undefined ? null : ((await versionOfRun(ada, retrained)) ?? null),
    rollback: await rollbackOf(ada, releases, progress.failedRequests),
    incidents: incidents.map((incident) => ({
      incident: incident.incident,
      title: incident.title,
      state: incident.state,
    })),
    ledger: { entries: ledger.entries, verified: ledger.verified },
    evidence: await writeEvidence(ada, releases, join(dataDir, 'evidence')),
    console: pave.url,
  }
}

async function trainingRows(client: Client, run: string): Promise<number> {
  const { steps } = await patiently(() => client.call(getRun, { run }))
  const result = steps.find((step) => step.step === 'training-set')?.result
  return typeof result === 'object' && result !== null && 'rows' in result ? Number(result.rows) : 0
}

async function versionOfRun(client: Client, run: string): Promise<string | undefined> {
  const { steps } = await patiently(() => client.call(getRun, { run }))
  const result = steps.find((step) => step.step === 'register')?.result
  return typeof result === 'object' && result !== null && 'ref' in result ? String(result.ref) : undefined
}

/** From the decision, which is the entry in the ledger, to the moment when the last node had applied it. */
async function rollbackOf(client: Client, releases: readonly Release[], failed: number): Promise<Summary['rollback']> {
  const release = releases.find((one) => one.state === 'rolled-back')
  if (release === undefined) return null
  const { items } = await patiently(() => client.call(listEntries, { operation: 'rollback-release', limit: 10 }))
  const decided = items.find((entry) => entry.subjects.some((subject) => subject.id === release.id))
  const generation = Number(decided?.facts?.generation ?? 0)
  const reports = await patiently(() => client.call(listEntries, { operation: 'report-node-status', limit: 200 }))
  const applied = reports.items.filter((entry) => Number(entry.facts?.generation ?? 0) >= generation).at(-1)
  const seconds = (Date.parse(applied?.at ?? decided?.at ?? '') - Date.parse(decided?.at ?? '')) / 1000
  return {
    version: release.version,
    reason: release.reason ?? '',
    seconds: Math.max(0, seconds),
    failed_requests: failed,
  }
}

async function writeEvidence(client: Client, releases: readonly Release[], directory: string): Promise<string[]> {
  await mkdir(directory, { recursive: true })
  const paths: string[] = []
  for (const version of [...new Set(releases.map((one) => one.version))].sort()) {
    const evidence = await patiently(() => client.call(exportEvidence, { version }))
    const path = join(directory, `${version}.json`)
    await writeFile(path, `${JSON.stringify(evidence.document, null, 2)}\n`)
    await writeFile(join(directory, `${version}.md`), evidence.markdown)
    paths.push(path)
  }
  return paths
}
