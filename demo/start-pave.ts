import { type ChildProcess, spawn } from 'node:child_process'
import { extname, join } from 'node:path'
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

const mostStartsInVain = 5
const patienceMs = 20_000

/** Starts `pave up` as anybody would, and starts it again when it is killed: the job goes on where it was. */
export async function startPave(options: DemoOptions & { dataDir: string }, narrator: Narrator): Promise<RunningPave> {
  let child: ChildProcess | undefined
  let stopping = false

  /** Answers the sign-in link when Pave is up, and fails when it ends before that. */
  const start = (): Promise<string> =>
    new Promise((resolve, reject) => {
      const started = spawn(
        process.execPath,
        [join(import.meta.dirname, `../src/cli${extname(import.meta.url)}`), 'up', '--stop-with-stdin'],
        {
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
        },
      )
      child = started
      let said = ''
      let complained = ''
      let isUp = false
      started.stdout?.on('data', (chunk) => {
        said += String(chunk)
        const link = /Sign in once[^:]*: (\S+)/.exec(said)?.[1]
        if (link === undefined) return
        isUp = true
        resolve(link)
      })
      started.stderr?.on('data', (chunk) => {
        complained = (complained + String(chunk)).slice(-4000)
      })
      started.on('exit', (code, signal) => {
        const reason = `pave up was ended by ${signal ?? code}`
        if (isUp && !stopping) void startAgain(reason)
        reject(new Error(signal === null ? complained.trim() || reason : reason))
      })
    })

  async function startAgain(reason: string): Promise<void> {
    narrator.note(`${reason}; starting it again`)
    for (let inVain = 0; !stopping; inVain++) {
      try {
        await start()
        return
      } catch (error) {
        narrator.note(error instanceof Error ? error.message : String(error))
        if (inVain === mostStartsInVain) return narrator.note('pave up does not stay up; giving up on it')
        await pause(500)
      }
    }
  }

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

/** What an interrupted demo left behind may still be stopping: its data directory is free in a moment. */
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
      const held = error.message.includes('data_directory_in_use')
      const killed = error.message.includes('was ended by SIG')
      if (!(held || killed) || performance.now() > until) throw error
      if (killed) narrator.note(`${error.message}; starting it again`)
      else if (!said) narrator.note(`${error.message}\nWaiting up to ${patienceMs / 1000} s for it to end …`)
      said ||= held
      await pause(500)
    }
  }
}
