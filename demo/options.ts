import { parseArgs } from 'node:util'

export interface DemoOptions {
  /** Stop everything after the job instead of leaving the console up. */
  exit: boolean
  /** Where the machine-readable summary goes. */
  json: string | undefined
  dataDir: string
  port: number
  inferencePort: number
  /** One flight in so many goes out as a request. */
  sample: number
}

const usage = `Usage: npm run demo -- [--exit] [--json FILE] [--data-dir DIRECTORY] [--port N] [--inference-port N]

  --exit            stop after the job instead of leaving the console up until Ctrl-C
  --json FILE       write a machine-readable summary
  --data-dir DIR    where the demo keeps its state (default .pave/demo)
  --port N          port of the control plane and console (default 7400)
  --inference-port N  port of the inference node (default 7401)
`

export function readOptions(args: string[], defaultDataDir: string): DemoOptions {
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
        help: { type: 'boolean', default: false },
      },
    })
    if (values.help) {
      process.stdout.write(usage)
      process.exit(0)
    }
    return {
      exit: values.exit,
      json: values.json,
      dataDir: values['data-dir'] ?? defaultDataDir,
      port: Number(values.port),
      inferencePort: Number(values['inference-port']),
      sample: Number(values.sample),
    }
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`)
    process.exit(2)
  }
}
