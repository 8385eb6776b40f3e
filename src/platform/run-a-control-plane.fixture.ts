import { systemActor } from './actor.ts'
import { getJob } from './kernel/contract.ts'
import { patient, startProbeControlPlane } from './probe-jobs.fixture.ts'

// A control plane in a process of its own, to be killed: it says the id of a job that is in the middle of its work.

const [, , databaseUrl = '', dataDir = '', workspace = '', file = ''] = process.argv
const { platform } = await startProbeControlPlane(databaseUrl, dataDir, [workspace])
const actor = systemActor(workspace)
const after: Array<() => void> = []
const job = await platform.transaction(workspace, (db) =>
  platform.jobs.start(db, { job: patient.name, input: { file, name: 'killed' }, actor }, after),
)
for (const action of after) action()
for (;;) {
  const { progressText } = await platform.run(getJob, { actor, input: { job, wait: 1 } })
  if (progressText === 'waiting') break
}
process.send?.(job)
