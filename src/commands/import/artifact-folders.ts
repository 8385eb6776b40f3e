import { readdir, realpath, stat } from 'node:fs/promises'
import { dirname, join, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { PaveError } from '#platform/errors.ts'
import { clientFailure } from '#platform/surfaces/client-errors.ts'

export interface ArtifactPlaces {
  /** What the server was given as --artifacts-destination. */
  artifacts: string
  /** Folders besides that one and the database's own from which files may be taken. */
  allowed: readonly string[]
}

/** Where on this machine something lies that a database says is below `root`; undefined when it is not there. */
export type FindArtifact = (root: string, ...inside: string[]) => Promise<string | undefined>

/**
 * A database may come from anybody, and what it names is uploaded: only what lies, once all links are followed, below
 * the folder of artifacts, below that of the database itself, or where whoever imports has allowed it.
 */
export function artifactFolders(file: string, { artifacts, allowed }: ArtifactPlaces): FindArtifact {
  const own = [resolve(artifacts), dirname(resolve(file))]
  const isInside = async (real: string) => {
    for (const place of own) if (isBelow(real, await realOf(place))) return true
    for (const place of allowed) {
      const its = await realOf(resolve(place))
      if (real === its || isBelow(real, its)) return true
    }
    return false
  }

  return async (root, ...inside) => {
    if (root === '') return undefined
    const path = join(pathOf(root, file, artifacts), ...inside)
    const real = await realOf(path)
    if (real === undefined && isServed(root) && !(await isFolder(artifacts))) {
      throw clientFailure('source_unreadable', `${root} cannot be found: there is no folder of artifacts ${artifacts}`)
    }
    // Who logs no file has no folder; but a disk that is not there looks alike.
    if (await isInside(real ?? join(await nearestOf(dirname(path)), 'missing'))) return real
    throw clientFailure(
      'source_unreadable',
      `${real ?? path} is below neither ${own.join(' nor ')}: if its files may be copied, say --allow-root and a folder that is there and has them`,
    )
  }
}

/** A server's own artifacts are nowhere else: without their folder every run would seem to have none. */
export async function requireArtifacts(all: readonly string[], artifacts: string, find: FindArtifact): Promise<void> {
  const roots = all.filter(isServed)
  const [first] = roots
  if (first === undefined) return
  const hint =
    'Name with --artifacts the folder that the server was given as --artifacts-destination. If there are to be no files, name an empty one.'
  if (!(await isFolder(artifacts))) {
    throw clientFailure('usage', `There are files at ${first}, but there is no folder of artifacts ${artifacts}`, {
      hint,
    })
  }
  for (const root of roots) if (await find(root).catch(() => undefined)) return
  const others = await readdir(artifacts).catch((error: unknown) => {
    throw unreadable(artifacts, error)
  })
  if (others.length > 0) {
    throw clientFailure('usage', `${artifacts} has none of the folders that the database names, such as ${first}`, {
      hint,
    })
  }
}

export function unreadable(path: string, error: unknown): PaveError {
  const why = error instanceof Error ? error.message : String(error)
  return clientFailure('source_unreadable', `${path} cannot be read: ${why}`, { cause: error })
}

/** Where an artifact URI of MLflow leads. */
function pathOf(root: string, file: string, artifacts: string): string {
  try {
    const served = /^mlflow-artifacts:(?:\/\/[^/]*)?\/(.*)$/s.exec(root)?.[1]
    if (served !== undefined) return join(artifacts, decodeURIComponent(served))
    if (root.startsWith('file:')) return fileURLToPath(root.replace(/^file:(?!\/\/)/, 'file://'))
  } catch (error) {
    throw unreadable(root, error)
  }
  if (/^[a-z][a-z0-9+.-]*:/i.test(root)) {
    throw clientFailure(
      'source_unreadable',
      `The files are in ${root}, which is not on this machine: the MLflow server reads them from there, so import from its URL`,
    )
  }
  return resolve(dirname(file), root)
}

/** The next folder above it that is there, or itself. */
async function nearestOf(path: string): Promise<string> {
  return (await realOf(path)) ?? nearestOf(dirname(path))
}

function isBelow(path: string, place: string | undefined): boolean {
  return place !== undefined && path.startsWith(place.endsWith(sep) ? place : `${place}${sep}`)
}

const isServed = (root: string) => root.startsWith('mlflow-artifacts:')

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() === true
}

async function realOf(path: string): Promise<string | undefined> {
  try {
    return await realpath(path)
  } catch (error) {
    if (isAbsence(error)) return undefined
    throw unreadable(path, error)
  }
}

const isAbsence = (error: unknown) => error instanceof Error && 'code' in error && error.code === 'ENOENT'
