/** Says what is happening: one line for each stage, and the progress of a long one in place on a terminal. */
export interface Narrator {
  stage(text: string): void
  done(text: string): void
  progress(fraction: number, text: string): void
  note(text: string): void
}

export function createNarrator(now: () => number): Narrator {
  const started = now()
  const terminal = process.stderr.isTTY === true
  let lastShown = -1
  let open = false
  const clear = () => {
    if (open && terminal) process.stderr.write('\r\x1b[2K')
    open = false
  }
  const line = (mark: string, text: string) => {
    clear()
    const seconds = ((now() - started) / 1000).toFixed(0).padStart(4)
    process.stderr.write(`${seconds} s ${mark} ${text}\n`)
    lastShown = -1
  }
  return {
    stage: (text) => line('▸', text),
    done: (text) => line('✓', text),
    note: (text) => line('·', text),
    progress(fraction, text) {
      if (terminal) {
        const filled = Math.round(fraction * 30)
        process.stderr.write(`\r\x1b[2K       ${'█'.repeat(filled)}${'░'.repeat(30 - filled)} ${text}`)
        open = true
        return
      }
      // Without a terminal a line every fifth is progress enough.
      const fifth = Math.floor(fraction * 5)
      if (fifth !== lastShown) line('·', text)
      lastShown = fifth
    },
  }
}
