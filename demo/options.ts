import { accessSync, constants, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { parseArgs } from 'node:util'

export interface DemoOptions {
  /** Stop everything after the job instead of leaving the console up. */
  exit: boolean
  /** Where the machine-readable summary goes. */
  json: string | undefined
  /** Undefined lets the demo choose. */
  dataDir: string | undefined
  port: number
  inferencePort: number
  /** One flight in so many goes out as a request. */
  sample: number
  /** Where the season ends, in milliseconds of event time. */
  until: number
}

const seasons = { earliest: '2001-05-13', whole: '2001-07-01' }

const usage = `Usage: npm run demo -- [flags]

  --exit              stop after the job instead of leaving the console up until Ctrl-C
  --json FILE         write a machine-readable summary
  --data-dir DIR      where the demo keeps its state (default .pave/demo)
  --port N            port of the control plane and console (default 7400)
  --inference-port N  port of the inference node (default 7401)
  --sample N          ask about one flight in N (default 72)
  --until DATE        end the season then: ${seasons.earliest} at the earliest (default ${seasons.whole})
`

/** Wrong flags end the process with exit code 2, before anything is started. */
export function readOptions(args: string[]): DemoOptions {
  try {
    const { values } = parseArgs({
      args,
      options: {
        exit: { type: 'boolean', default: false },
        json: { type: 'string' },
        'data-dir': { type: 'string' },
        port: { type: 'string', default: '7400' },
        'inference-port': { type: 'string', default: '7401' },
        sample: { type: 'string', default: '72' },
        until: { type: 'string', default: seasons.whole },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
    if (values.help) {
      process.stdout.write(usage)
      process.exit(0)
    }
    if (values.json !== undefined) refuseUnwritable(values.json)
    return {
      exit: values.exit,
      json: values.json,
      dataDir: values['data-dir'],
      port: wholeNumber('--port', values.port, 65_535),
      inferencePort: wholeNumber('--inference-port', values['inference-port'], 65_535),
      sample: wholeNumber('--sample', values.sample, 1_000_000),
      until: dayOf('--until', values.until),
    }
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`)
    process.exit(2)
  }
}

function wholeNumber(flag: string, text: string, most: number): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1 || value > most) {
    throw new Error(`${flag} is a whole number from 1 to ${most}, not ${text}`)
  }
  return value
}

/** Before the earliest day the monitors have not found the change that the story turns on, and the new model is not in place. */
function dayOf(flag: string, text: string): number {
  const at = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN
  if (at >= Date.parse(seasons.earliest) && at <= Date.parse(seasons.whole)) return at
  throw new Error(`${flag} is a day from ${seasons.earliest} to ${seasons.whole}, not ${text}`)
}

/** Minutes of work shall not end at a summary that cannot be written. */
function refuseUnwritable(file: string): void {
  const directory = dirname(resolve(file))
  const found = statSync(directory, { throwIfNoEntry: false })
  if (!found?.isDirectory()) throw new Error(`--json ${file}: there is no directory ${directory}; make it first`)
  const target = statSync(file, { throwIfNoEntry: false })
  if (target?.isDirectory()) throw new Error(`--json ${file} is a directory; name a file in it`)
  accessSync(target === undefined ? directory : file, constants.W_OK)
}
