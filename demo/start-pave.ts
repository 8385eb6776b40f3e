import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { readClientFile } from '../src/commands/bootstrap.ts'
import { type Client, createClient } from '../src/platform/surfaces/client.ts'
import type { Narrator } from './narrate.ts'
import type { DemoOptions } from './options.ts'

export interface RunningPave {
  admin: Client
  url: string
  inferenceUrl: string
  signInLink: string
  stop(): Promise<void>
}

const mostRestarts = 5
const patienceMs = 20_000

/** Starts `pave up` as anybody would, and starts it again when it is killed: the job goes on where it was. */
export async function startPave(options: DemoOptions & { dataDir: string }, narrator: Narrator): Promise<RunningPave> {
  let child: ChildProcess | undefined
  let stopping = false
  let restarts = 0
  const start = (): Promise<string> =>
    new Promise((resolve, reject) => {
      const started = spawn(process.execPath, [join(import.meta.dirname, '../src/cli.ts'), 'up', '--stop-with-stdin'], {
        // Its standard input ends when this process does, however it ends: then it stops by itself.
        stdio: ['pipe', 'pipe', 'pipe'],
        env: {
          ...process.env,
          PAVE_DATA_DIR: options.dataDir,
          PAVE_PORT: String(options.port),
          PAVE_INFERENCE_PORT: String(options.inferencePort),
          PAVE_URL: undefined,
          PAVE_TOKEN: undefined,
          PAVE_LOG_LEVEL: process.env.PAVE_LOG_LEVEL ?? 'info',
        },
        // Its own group: Ctrl-C on the terminal reaches it through us, in order.
        detached: true,
      })
      child = started
      let said = ''
      let complained = ''
      started.stdout?.on('data', (chunk) => {
        said += String(chunk)
        const link = /Sign in once[^:]*: (\S+)/.exec(said)?.[1]
        if (link !== undefined) resolve(link)
      })
      started.stderr?.on('data', (chunk) => {
        complained = (complained + String(chunk)).slice(-4000)
      })
      started.on('exit', (code, signal) => {
        if (stopping) return
        restarts += 1
        if (code !== null && code !== 0 && signal === null)
          reject(new Error(complained.trim() || `pave up ended with ${code}`))
        else if (restarts > mostRestarts) narrator.note(`pave up was ended ${restarts} times; giving up on it`)
        else {
          narrator.note(`pave up was ended by ${signal ?? code}; starting it again`)
          start().catch((error) => narrator.note(String(error)))
        }
      })
    })
  const signInLink = await startWhenFree(start, narrator)
  const settings = await readClientFile(options.dataDir)
  if (settings === undefined) throw new Error(`pave up left no client settings in ${options.dataDir}`)
  return {
    admin: createClient({ url: settings.url, token: settings.token }),
    url: settings.url,
    inferenceUrl: settings.inferenceUrl,
    signInLink,
    async stop() {
      stopping = true
      const last = child
      if (last === undefined || last.exitCode !== null || last.signalCode !== null) return
      const ended = new Promise((resolve) => last.once('exit', resolve))
      last.stdin?.end()
      last.kill('SIGTERM')
      await ended
    },
  }
}

/** What an interrupted demo left behind is still stopping: its data directory is free in a moment. */
async function startWhenFree(start: () => Promise<string>, narrator: Narrator): Promise<string> {
  const until = performance.now() + patienceMs
  for (let said = false; ; ) {
    try {
      return await start()
    } catch (error) {
      if (!(error instanceof Error)) throw error
      if (error.message.includes('port_in_use')) {
        throw new Error(`${error.message}\nThe demo takes other ports with --port and --inference-port.`)
      }
      if (!error.message.includes('data_directory_in_use') || performance.now() > until) throw error
      if (!said) narrator.note(`${error.message}\nWaiting up to ${patienceMs / 1000} s for it to end …`)
      said = true
      await pause(500)
    }
  }
}
