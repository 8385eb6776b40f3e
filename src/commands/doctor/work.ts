import { type Check, type Finding, ok, type SiteWithDatabase, warn } from './check.ts'

const queuedMinutes = 10
const runningHours = 24
const silentMinutes = 5

export const workChecks: Check[] = [
  { name: 'jobs', database: true, look: lookAtJobs },
  { name: 'nodes', database: true, look: lookAtNodes },
]

async function lookAtJobs({ database, running }: SiteWithDatabase): Promise<Finding[]> {
  const { rows } = await database.query<{ queued: number; stuck: number; failed: number; names: string | null }>(
    `select
       count(*) filter (where state = 'queued' and created_at < now() - make_interval(mins => $1))::int as queued,
       count(*) filter (where state = 'running' and started_at < now() - make_interval(hours => $2))::int as stuck,
       count(*) filter (where state = 'failed' and ended_at > now() - interval '1 day')::int as failed,
       string_agg(distinct job, ', ') filter (where state = 'failed' and ended_at > now() - interval '1 day') as names
     from platform.job`,
    [queuedMinutes, runningHours],
  )
  const { queued = 0, stuck = 0, failed = 0, names = null } = rows[0] ?? {}
  const findings: Finding[] = []
  if (running && queued > 0) {
    findings.push(
      warn(
        'jobs-waiting',
        `${queued} jobs wait since more than ${queuedMinutes} minutes`,
        'Pipelines, ingestion and training sets do not get on',
        'pave list-jobs --state queued',
      ),
    )
  }
  if (stuck > 0) {
    findings.push(
      warn(
        'jobs-stuck',
        `${stuck} jobs run since more than ${runningHours} hours`,
        'They hold a worker that others wait for',
        'pave list-jobs --state running',
        'pave cancel-job JOB',
      ),
    )
  }
  if (failed > 0) {
    findings.push(
      warn(
        'jobs-failing',
        `${failed} jobs failed within a day: ${names}`,
        'What they should have made is not there',
        'pave list-jobs --state failed',
        'pave retry-job JOB',
      ),
    )
  }
  return findings.length > 0 ? findings : [ok('jobs', 'no job is stuck, and none failed within a day')]
}

async function lookAtNodes({ database, running }: SiteWithDatabase): Promise<Finding[]> {
  const { rows } = await database.query<{
    node: string
    environment: string
    generation: number
    newest: number | null
    silent: number
    failed: unknown[]
    behind: number
  }>(
    `select n.node, n.environment, n.generation, p.generation as newest, n.failed,
       (extract(epoch from now() - n.reported_at) / 60)::float8 as silent,
       coalesce(extract(epoch from now() - p.issued_at), 0)::float8 as behind
     from releases.node n left join releases.plan p on p.workspace = n.workspace and p.environment = n.environment
     order by n.environment, n.node`,
  )
  if (rows.length === 0) return [ok('nodes', 'no node has reported yet')]
  const findings: Finding[] = []
  for (const { node, environment, generation, newest, silent, failed, behind } of rows) {
    const name = `${node} (${environment})`
    if (newest !== null && generation < newest && behind > 60) {
      findings.push(
        warn(
          'node-behind',
          `${name} serves plan ${generation}, the newest is ${newest}`,
          'It answers as before the last release or rollback',
          `tail logs/${node}.log, on the machine of the node`,
        ),
      )
    }
    if (running && silent > silentMinutes && newest !== null && generation < newest) {
      findings.push(
        warn(
          'node-silent',
          `${name} was last heard of ${Math.round(silent)} minutes ago`,
          'Nobody knows what it serves; it may be gone',
          `pave serve --environment ${environment} --name ${node}, on its machine`,
        ),
      )
    }
    if (failed.length > 0) {
      findings.push(
        warn(
          'node-cannot-load',
          `${name} could not load ${failed.length} versions: ${JSON.stringify(failed[0]).slice(0, 200)}`,
          'Requests for them are answered by what was served before',
          'pave rollback-release ENVIRONMENT ENDPOINT',
        ),
      )
    }
  }
  return findings.length > 0 ? findings : [ok('nodes', `${rows.length} nodes are at the newest plan`)]
}
