import { getJob, type Job } from '../kernel/contract.ts'
import type { Client } from './client.ts'
import { clientFailure } from './client-errors.ts'

/** Seconds that one request waits for the job's end. */
const patience = 2

/** Waits until the job has ended, telling its progress as it changes. Error: `job_failed`, with what the job said. */
export async function followJob(client: Client, id: string, onProgress: (text: string) => void): Promise<Job> {
  let told = ''
  for (;;) {
    const job = await client.call(getJob, { job: id, wait: patience })
    const progress = `${String(Math.floor(job.progress * 100)).padStart(3)} % ${job.progressText || job.state}`
    if (progress !== told) onProgress(progress)
    told = progress
    if (job.state === 'done') return job
    if (job.state === 'failed' || job.state === 'cancelled') {
      const { code, message, hint } = job.error ?? { code: job.state, message: `The job was ${job.state}`, hint: '' }
      throw clientFailure('job_failed', `${job.job}: ${message} (${code})`, hint === '' ? {} : { hint })
    }
  }
}
