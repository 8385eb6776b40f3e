import { systemClock } from '#platform/clock.ts'
import type { Output } from '#platform/surfaces/command-line.ts'

export interface Progress {
  /** A line that stays. */
  say(text: string): void
  /** How far it is: on a terminal the last line, which is written over; elsewhere a line now and then. */
  tick(text: string): void
  end(): void
}

const everyOnTerminal = 100
const everyElsewhere = 10_000
const clearLine = '\r\x1b[2K'

export function progressOf(output: Output, quiet: boolean): Progress {
  if (quiet) return { say: () => {}, tick: () => {}, end: () => {} }
  const terminal = process.stderr.isTTY
  let told = systemClock.now()
  let shown = false
  const end = () => {
    if (shown) process.stderr.write(clearLine)
    shown = false
  }
  return {
    say(text) {
      end()
      output.err(text)
    },
    tick(text) {
      const now = systemClock.now()
      if (now - told < (terminal ? everyOnTerminal : everyElsewhere)) return
      told = now
      if (!terminal) return output.err(text)
      process.stderr.write(`${clearLine}${text.slice(0, (process.stderr.columns ?? 80) - 1)}`)
      shown = true
    },
    end,
  }
}
