import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openDataDirectory } from '../src/platform/data-directory.ts'

/** What the job has finished, so that a run after a crash goes on instead of starting over. */
export interface Progress {
  startedAt: number
  finished: boolean
  materialized: boolean
  /** Hours of the replay that are complete. */
  replayedHours: number
  requests: number
  failedRequests: number
  retries: number
  /** Milliseconds, one for each request; sampled beyond a hundred thousand. */
  latencies: number[]
  /** Of named runs of the pipeline. */
  runs: Record<string, string>
  /** Of all its processes together, until the last save. */
  seconds: number
}

const fresh = (now: number): Progress => ({
  startedAt: now,
  finished: false,
  materialized: false,
  replayedHours: 0,
  requests: 0,
  failedRequests: 0,
  retries: 0,
  latencies: [],
  runs: {},
  seconds: 0,
})

const progressFile = 'demo.json'

export interface ProgressFile {
  progress: Progress
  /** With nothing, where an interrupted demo stopped, or with nothing after a finished one. */
  beginning: 'fresh' | 'resumed' | 'again'
  save(): Promise<void>
}

/** A finished demo starts over with nothing; an interrupted one is taken up. Errors: data_directory_in_use. */
export async function openProgress(dataDir: string, now: number): Promise<ProgressFile> {
  const path = join(dataDir, progressFile)
  const text = await readFile(path, 'utf8').catch(() => undefined)
  const earlier: Progress | undefined = text === undefined ? undefined : JSON.parse(text)
  if (earlier?.finished) await deleteUnheld(dataDir)
  const resumed = earlier !== undefined && !earlier.finished
  const progress = resumed ? earlier : fresh(now)
  const secondsBefore = progress.seconds
  const opened = performance.now()
  return {
    progress,
    beginning: resumed ? 'resumed' : earlier === undefined ? 'fresh' : 'again',
    async save() {
      progress.seconds = secondsBefore + (performance.now() - opened) / 1000
      await writeFile(`${path}.new`, JSON.stringify(progress))
      await rename(`${path}.new`, path)
    },
  }
}

/** Never under a console that is still up. */
async function deleteUnheld(dataDir: string): Promise<void> {
  const held = await openDataDirectory(dataDir, { command: 'npm run demo' })
  try {
    // What says that it is finished goes last: nobody takes up half of what is left when this is interrupted.
    for (const name of await readdir(dataDir)) {
      if (name !== progressFile) await rm(join(dataDir, name), { recursive: true, force: true })
    }
    await rm(dataDir, { recursive: true, force: true })
  } finally {
    await held.release()
  }
}
