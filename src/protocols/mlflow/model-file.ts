import { parse } from 'yaml'
import { z } from 'zod'
import { Signature } from '#modules/registry/contract.ts'

export const modelFile = 'MLmodel'

/** MLflow's column and NumPy types to those of the Open Inference Protocol. */
const datatypes: Record<string, Signature['inputs'][number]['datatype']> = {
  boolean: 'BOOL',
  integer: 'INT32',
  long: 'INT64',
  float: 'FP32',
  double: 'FP64',
  string: 'BYTES',
  binary: 'BYTES',
  datetime: 'BYTES',
  bool: 'BOOL',
  int8: 'INT8',
  int16: 'INT16',
  int32: 'INT32',
  int64: 'INT64',
  uint8: 'UINT8',
  uint16: 'UINT16',
  uint32: 'UINT32',
  uint64: 'UINT64',
  float16: 'FP16',
  float32: 'FP32',
  float64: 'FP64',
  object: 'BYTES',
  str: 'BYTES',
}

const Column = z.object({
  name: z.string().optional(),
  type: z.string(),
  'tensor-spec': z.object({ dtype: z.string(), shape: z.array(z.int()) }).optional(),
})

const ModelFile = z.object({
  flavors: z.record(z.string().max(100), z.unknown()).catch({}),
  signature: z.object({ inputs: z.string().nullish(), outputs: z.string().nullish() }).nullish().catch(null),
})

/** What `MLmodel` says of a model. It is a stranger's YAML: whatever cannot be read says nothing. */
export function readModelFile(text: string): { flavors: string[]; signature: Signature | undefined } {
  try {
    const { flavors, signature } = ModelFile.parse(
      parse(text, { schema: 'core', maxAliasCount: 100, logLevel: 'silent' }),
    )
    return {
      flavors: Object.keys(flavors).sort().slice(0, 50),
      signature: signature ? readSignature(signature) : undefined,
    }
  } catch {
    return { flavors: [], signature: undefined }
  }
}

function readSignature(written: { inputs?: string | null | undefined; outputs?: string | null | undefined }) {
  const signature = Signature.safeParse({
    inputs: readColumns(written.inputs, 'input'),
    outputs: readColumns(written.outputs, 'output'),
  })
  return signature.success ? signature.data : undefined
}

function readColumns(json: string | null | undefined, name: string): unknown[] {
  if (!json) return []
  const columns = z.array(Column).safeParse(JSON.parse(json))
  if (!columns.success) return []
  return columns.data.map((column, index) => ({
    name: column.name ?? `${name}-${index}`,
    datatype: datatypes[column['tensor-spec']?.dtype ?? column.type] ?? 'BYTES',
    shape: column['tensor-spec']?.shape ?? [-1],
  }))
}
