import { expect, test } from 'vitest'
import { createLogger } from './telemetry.ts'

test.runIf(process.platform === 'linux')('a full disk under the log breaks nothing', () => {
  const log = createLogger('info', '/dev/full')
  for (let line = 0; line < 3; line++) expect(() => log.error({ line }, 'no space')).not.toThrow()
})
