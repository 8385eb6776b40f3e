import { z } from 'zod'
import { Digest, VersionRef } from '#platform/names.ts'
import { operation } from '#platform/operation.ts'
import { OnnxTwin, TwinProblem, TwinReport } from './contract.ts'

/**
 * Nearer than any policy's threshold is told apart: one hundredth of a probability, one percent of larger numbers. What
 * 32-bit numbers cost is far less, and what is further away is another model.
 */
const largestTolerance = 0.01

export const convertVersion = operation({
  name: 'convert-version',
  method: 'POST',
  path: '/api/v1/versions/:version/twin',
  summary:
    'Make the ONNX twin of a version that has no graph: a job runs its model in its own environment, converts it and compares both; one that is ready or under way is answered as it is',
  effect: 'write',
  permission: { verb: 'version:convert', on: [] },
  lineage: { inputs: ['version'] },
  errors: ['version_not_found', 'version_has_graph', 'conversion_unsupported', 'twin_differs'],
  input: z.object({
    version: VersionRef,
    tolerance: z
      .number()
      .min(0)
      .max(largestTolerance)
      .default(1e-4)
      .describe('How far a number may be from the one that the model answers: absolute up to 1, relative beyond'),
  }),
  output: z.object({ version: z.string(), job: z.uuid(), twin: OnnxTwin }),
  job: true,
})

export const finishConversion = operation({
  name: 'finish-conversion',
  method: 'POST',
  path: '/api/v1/versions/:version/twin/finish',
  summary: 'Enter how a conversion ended; its job does this by itself',
  effect: 'write',
  permission: { verb: 'conversion:record', on: [] },
  lineage: { inputs: ['version'], outputs: ['object'] },
  errors: ['version_not_found', 'artifact_not_found', 'onnx_invalid', 'features_mismatch', 'twin_differs'],
  input: z.object({
    version: VersionRef,
    job: z.uuid(),
    /** With a problem: the graph that is not to stay. */
    artifact: Digest.nullable().default(null),
    report: TwinReport.nullable().default(null),
    /** Why it is not ready; without one it is, if graph and report say so too. */
    problem: TwinProblem.nullable().default(null),
    log: Digest.nullable().default(null),
  }),
  /** Null when the version is no longer converted by this job. */
  output: OnnxTwin.nullable(),
})
