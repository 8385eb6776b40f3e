import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { readKeys, secretDirectories } from '#platform/backup/seal-keys.ts'
import { isUnfinishedDirectory } from '#platform/backup/unfinished-restore.ts'
import { closedDirectory } from '#platform/data-directory.ts'
import { keyFiles, loadVerifierKey } from '#platform/ledger/signing-key.ts'
import { type Check, type Finding, fail, ok, reasonOf, type Site, skipped, warn } from './check.ts'
import { readHolder } from './machine.ts'

export const dataDirectoryChecks: Check[] = [
  { name: 'data-directory', look: lookAtDirectory },
  { name: 'holder', look: lookAtHolder },
  { name: 'keys', look: lookAtKeys },
]

async function lookAtDirectory({ dataDir, exists, config }: Site): Promise<Finding[]> {
  if (!exists) return [ok('data-directory', `${dataDir} is new: \`pave up\` makes it`)]
  const findings: Finding[] = []
  const { uid } = await stat(dataDir)
  if (await isUnfinishedDirectory(dataDir)) {
    findings.push(
      fail(
        'restore-unfinished',
        `A restore into ${dataDir} was cut short`,
        'What is in it is a part of a backup, and no Pave starts on it',
        'pave restore BACKUP --force',
      ),
    )
  }
  const writable = await access(dataDir, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  )
  if (!writable) {
    findings.push(
      fail(
        'data-directory-unwritable',
        `${dataDir} belongs to uid ${uid}, and uid ${config.uid} cannot write to it`,
        'Pave does not start',
        `run Pave as uid ${uid}, or: sudo chown -R ${config.uid} ${dataDir}`,
      ),
    )
  }
  const closed = config.uid === 0 ? await closedDirectory(dataDir) : undefined
  if (closed !== undefined) {
    findings.push(
      fail(
        'data-directory-closed',
        `Other users cannot pass through ${closed}`,
        'As root, Pave runs PostgreSQL and steps as other users, which have to reach the data directory',
        `chmod o+x ${closed}`,
      ),
    )
  }
  return findings.length > 0 ? findings : [ok('data-directory', `${dataDir} belongs to uid ${uid}`)]
}

async function lookAtHolder({ dataDir, running }: Site): Promise<Finding[]> {
  const holder = await readHolder(dataDir)
  if (holder === undefined) return [ok('holder', running ? 'Pave answers' : 'nobody holds the data directory')]
  const who = `\`${holder.command}\` (process ${holder.pid} on ${holder.host})`
  if (running) return [ok('holder', `${who} holds the data directory`)]
  if (holder.host !== hostname()) {
    return [
      warn(
        'holder-elsewhere',
        `${who} wrote that it holds the data directory`,
        'Two machines that work on one directory would damage it',
        `make sure that nothing runs there: ssh ${holder.host} ps -p ${holder.pid}`,
      ),
    ]
  }
  return [ok('holder', `${who} ended without a word; the next start takes over`)]
}

async function lookAtKeys({ dataDir, exists }: Site): Promise<Finding[]> {
  if (!exists) return [skipped('keys', 'made at the first start')]
  const findings: Finding[] = []
  const keys = await readKeys(dataDir)
  for (const [name, { mode }] of Object.entries(keys)) {
    if (!/\.(key|token)$/.test(name) || (mode & 0o077) === 0) continue
    findings.push(
      fail(
        'key-readable',
        `${join(dataDir, name)} can be read by others`,
        'Whoever has it can sign in the name of this Pave',
        `chmod 600 ${join(dataDir, name)}`,
      ),
    )
  }
  for (const name of ['keys/ledger.key', 'keys/serving-plan.key']) {
    if (keys[name] !== undefined) continue
    findings.push(
      fail(
        'key-missing',
        `${join(dataDir, name)} is missing`,
        name.includes('ledger')
          ? 'Nothing can be sealed without it'
          : 'A new one is made, and nodes refuse what it signs until they are enrolled again',
        `pave restore BACKUP into another directory, and copy ${name} from there`,
      ),
    )
  }
  const { publicFile } = keyFiles(dataDir)
  const unreadable = await loadVerifierKey(publicFile).then(
    () => undefined,
    (error: unknown) => reasonOf(error).what,
  )
  if (unreadable !== undefined) {
    findings.push(
      fail(
        'key-unusable',
        `${publicFile} cannot be used: ${unreadable}`,
        'Nobody can verify the ledger without it',
        `mv ${publicFile} ${publicFile}.broken, and start Pave: it is made again of the private key`,
      ),
    )
  }
  const count = Object.keys(keys).length
  return findings.length > 0 ? findings : [ok('keys', `${count} keys in ${secretDirectories.join(' and ')}`)]
}
