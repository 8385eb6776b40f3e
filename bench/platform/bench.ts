import type { Bench } from '../measurement.ts'
import { pipelineSteps } from './pipeline-steps.ts'
import { sealing } from './sealing.ts'
import { startPave } from './start-pave.ts'
import { writeOperation } from './write-operation.ts'

/** What the kernel costs: a write, the sealing of the ledger, a pipeline step. */
const bench: Bench = async (say) => {
  say('starting Pave')
  const pave = await startPave()
  try {
    say('writing, with and without Pave')
    const writes = await writeOperation(pave)
    say('sealing')
    const seals = await sealing(pave)
    say('running empty pipelines')
    return [...writes, ...seals, ...(await pipelineSteps(pave))]
  } finally {
    await pave.stop()
  }
}

export default bench
