import { createKernel } from './0001-create-kernel.ts'
import { nameTheTicketOfAJob } from './0002-name-the-ticket-of-a-job.ts'

export const kernelMigrations = {
  '0001-create-kernel': createKernel,
  '0002-name-the-ticket-of-a-job': nameTheTicketOfAJob,
}
