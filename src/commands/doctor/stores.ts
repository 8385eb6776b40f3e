import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { systemClock } from '#platform/clock.ts'
import { onlineUrlOf } from '#platform/control-plane.ts'
import { createIds } from '#platform/ids.ts'
import { openObjectStore } from '#platform/storage/objects/open-object-store.ts'
import { openOnlineStore } from '#platform/storage/online/open-online-store.ts'
import { type Check, type Finding, fail, ok, reasonOf, type Site, type SiteWithDatabase, skipped } from './check.ts'

const sample = 20

export const storeChecks: Check[] = [
  { name: 'objects', look: probeObjects },
  { name: 'object-digests', database: true, look: sampleObjects },
  { name: 'online', look: probeOnline },
]

const storeOf = ({ config, dataDir }: Site) =>
  openObjectStore(config.objectsUrl ?? pathToFileURL(join(dataDir, 'objects')).href, {
    cacheDirectory: join(dataDir, 'object-copies'),
  })

/** Puts, reads and deletes a few bytes that nobody else has. */
async function probeObjects(site: Site): Promise<Finding[]> {
  if (!site.exists) return [skipped('objects', 'made at the first start')]
  try {
    const store = await storeOf(site)
    const startedAt = performance.now()
    const { digest } = await store.put(`pave doctor ${createIds(systemClock.now).secret()}`)
    await store.read(digest, { maxBytes: 1000 })
    await store.delete(digest)
    return [ok('objects', `an object was written, read and deleted in ${Math.round(performance.now() - startedAt)} ms`)]
  } catch (error) {
    const { what, hint } = reasonOf(error)
    const why = 'No model can be registered, no dataset ingested, and nodes cannot load new versions'
    return [fail('objects-unusable', what, why, ...hint)]
  }
}

/** Some of the newest objects that the ledger speaks of. */
async function sampleObjects(site: SiteWithDatabase): Promise<Finding[]> {
  const { rows } = await site.database.query<{ id: string }>(
    `select distinct on (id) id from (
       select s.id from ledger.subject s where s.kind = 'object' and s.role <> 'input'
         and not exists (select from platform.withdrawn_object w where w.digest = s.id and w.entry >= s.entry)
       order by s.entry desc limit $1
     ) newest`,
    [sample],
  )
  if (rows.length === 0) return [ok('object-digests', 'there are no objects yet')]
  const store = await storeOf(site)
  const findings: Finding[] = []
  for (const { id } of rows) {
    try {
      for await (const _ of await store.open(id));
    } catch (error) {
      const { what, hint } = reasonOf(error)
      findings.push(
        fail(
          'object-damaged',
          what,
          'Whatever was made of it cannot be made again',
          ...hint,
          'pave backup verify PLACE',
        ),
      )
    }
  }
  return findings.length > 0 ? findings : [ok('object-digests', `${rows.length} objects have their digests`)]
}

async function probeOnline({ config, dataDir, exists }: Site): Promise<Finding[]> {
  const url = config.onlineUrl ?? onlineUrlOf(dataDir)
  if (
    !exists ||
    (url.startsWith('lmdb:') && (await stat(join(dataDir, 'online')).catch(() => undefined)) === undefined)
  ) {
    return [skipped('online', 'made at the first start')]
  }
  try {
    const store = await openOnlineStore(url, { readOnly: true })
    try {
      const startedAt = performance.now()
      await store.getMany([{ namespace: 'pave-doctor', key: 'probe' }])
      return [ok('online', `the online store answers in ${(performance.now() - startedAt).toFixed(1)} ms`)]
    } finally {
      await store.close()
    }
  } catch (error) {
    const { what, hint } = reasonOf(error)
    return [fail('online-unusable', what, 'Predictions lack the features of their entities', ...hint)]
  }
}
