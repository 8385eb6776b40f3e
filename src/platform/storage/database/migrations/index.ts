import { createKernel } from './0001-create-kernel.ts'

export const kernelMigrations = { '0001-create-kernel': createKernel }
