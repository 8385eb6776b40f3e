import { checkpointsFile } from '#platform/create-platform.ts'
import { lastCheckpoint } from '#platform/ledger/checkpoints-file.ts'
import { isTree, readHead } from '#platform/ledger/leaves.ts'
import { keyFiles, loadVerifierKey } from '#platform/ledger/signing-key.ts'
import { type Check, type Finding, fail, ok, reasonOf, type SiteWithDatabase, warn } from './check.ts'

const newest = 1_000
const patienceSeconds = 60
/** A sealer that works exports a checkpoint within seconds, or after so many entries. */
const mostBehind = 20_000

export const ledgerChecks: Check[] = [
  { name: 'sealing', database: true, look: lookAtSealing },
  { name: 'ledger', database: true, look: lookAtLeaves },
  { name: 'checkpoints', database: true, look: lookAtCheckpoints },
  { name: 'subscribers', database: true, look: lookAtSubscribers },
]

async function lookAtSealing({ database, running }: SiteWithDatabase): Promise<Finding[]> {
  const { rows } = await database.query<{ waiting: number; seconds: number | null; holder: string | null }>(
    `select count(*)::int as waiting, extract(epoch from now() - min(e.at))::float8 as seconds,
       (select format('%s (session %s, open since %s)', application_name, pid, xact_start) from pg_stat_activity
        where backend_xid is not null and pid <> pg_backend_pid() order by xact_start limit 1) as holder
     from ledger.entry e, ledger.head h where (e.epoch, e.xid, e.seq) > (h.epoch, h.xid, h.seq)`,
  )
  const { waiting = 0, seconds = null, holder = null } = rows[0] ?? {}
  if (waiting === 0) return [ok('sealing', 'every entry is sealed')]
  const what = `${waiting} entries wait to be sealed, the oldest for ${Math.round(seconds ?? 0)} s`
  if ((seconds ?? 0) < patienceSeconds) return [ok('sealing', what)]
  if (!running) return [ok('sealing', `${what}: the next start seals them`)]
  return [
    fail(
      'sealing-behind',
      holder === null ? what : `${what}; the oldest transaction is of ${holder}`,
      'Releases, monitors and notifications follow the sealed ledger, and stand still',
      holder === null
        ? "grep 'could not be sealed' logs/control-plane.log | tail -1"
        : 'select pg_terminate_backend(SESSION), if nobody needs that transaction',
    ),
  ]
}

/** The newest leaves; `pave ledger verify` looks at all. */
async function lookAtLeaves({ database }: SiteWithDatabase): Promise<Finding[]> {
  const head = await readHead(database)
  const { rows } = await database.query<{ ix: string }>(
    `select l.ix from (select * from ledger.leaf order by ix desc limit $1) l left join ledger.entry e using (seq)
     where e.seq is null or sha256('\\x00'::bytea || convert_to(e.body, 'UTF8')) <> l.hash order by l.ix limit 10`,
    [newest],
  )
  if (rows.length === 0 && isTree(head)) {
    return [ok('ledger', `${head.size} entries; the newest ${Math.min(newest, head.size)} are those that were sealed`)]
  }
  const what =
    rows.length > 0
      ? `the entries of leaves ${rows.map(({ ix }) => ix).join(', ')} are not those that were sealed`
      : "the ledger's head does not hold together"
  return [
    fail(
      'ledger-altered',
      what,
      'Somebody or something changed the record of what happened',
      'pave ledger verify',
      'pave backup --to PLACE, before anything else is changed',
    ),
  ]
}

async function lookAtCheckpoints({ database, dataDir, running }: SiteWithDatabase): Promise<Finding[]> {
  const file = checkpointsFile(dataDir)
  const head = await readHead(database)
  try {
    const last = await lastCheckpoint(file, await loadVerifierKey(keyFiles(dataDir).publicFile))
    if (last === undefined) {
      if (head.size === 0) return [ok('checkpoints', 'there is nothing to sign yet')]
      return [
        fail(
          'checkpoints-missing',
          `${file} holds no checkpoint, and the ledger has ${head.size} entries`,
          'Without them nobody could tell if the past was rewritten',
          'copy the file back from where you keep copies, or from the newest backup',
        ),
      ]
    }
    if (last.epoch !== head.epoch || last.size > head.size) {
      return [
        fail(
          'ledger-forked',
          `The last checkpoint is of ${last.size} entries in epoch ${last.epoch}, the database has ${head.size} in epoch ${head.epoch}`,
          'The database was set back by other means than `pave restore`; nothing is sealed until that is mended',
          'pave restore BACKUP --checkpoints COPY_OF_CHECKPOINTS, into a new data directory',
        ),
      ]
    }
    if (running && head.size - last.size > mostBehind) {
      const what = `the last checkpoint is ${head.size - last.size} entries behind`
      return [
        warn('checkpoints-behind', what, 'What is not signed could be rewritten unseen', `ls -l ${file}; df ${file}`),
      ]
    }
    return [ok('checkpoints', `signed up to entry ${last.size} of ${head.size}`)]
  } catch (error) {
    const { what, hint } = reasonOf(error)
    return [fail('checkpoints-unusable', what, 'Nothing is sealed while they cannot be read', ...hint)]
  }
}

async function lookAtSubscribers({ database }: SiteWithDatabase): Promise<Finding[]> {
  const { rows } = await database.query<{ subscriber: string; failures: number; last_error: string | null }>(
    'select subscriber, failures, last_error from ledger.cursor where failures > 3 order by subscriber',
  )
  if (rows.length === 0) return [ok('subscribers', 'all follow the ledger')]
  return rows.map(({ subscriber, failures, last_error: error }) =>
    warn(
      'subscriber-failing',
      `${subscriber} failed ${failures} times at one entry: ${error ?? 'unknown'}`,
      'It waits there, so that what should follow later entries does not happen',
      "grep 'a subscriber failed' logs/control-plane.log | tail -1",
    ),
  )
}
