import type { StatedTensor } from '../tensors/signature.ts'
import { ProtobufError, readFields } from './protobuf.ts'

/** Bytes that are no ONNX model that can be served; the message says what is wrong with them. */
export class OnnxError extends Error {
  readonly code = 'onnx_invalid'
}

export interface OnnxTensor extends StatedTensor {
  kind: 'tensor' | 'sparse tensor' | 'sequence' | 'map' | 'optional' | 'opaque'
}

export interface OnnxOperator {
  /** Empty for the standard operators of ONNX. */
  domain: string
  type: string
  /** Nodes of this type, those of subgraphs and functions included. */
  count: number
}

export interface OnnxGraph {
  irVersion: number
  producer: string
  producerVersion: string
  opsets: { domain: string; version: number }[]
  /** Without the initializers, which a caller need not give. */
  inputs: OnnxTensor[]
  outputs: OnnxTensor[]
  /** Sorted by domain and type. */
  operators: OnnxOperator[]
  /** `metadata_props` of the model. */
  metadata: Record<string, string>
}

export const onnxLimits = { nodes: 1_000_000, subgraphDepth: 16, tensors: 1000, rank: 32, nameBytes: 4096 } as const

/** OIP names by `onnx.TensorProto.DataType`; the others (complex, 4-bit, 8-bit floats) have none. */
const datatypeNames: Record<number, string> = {
  1: 'FP32',
  2: 'UINT8',
  3: 'INT8',
  4: 'UINT16',
  5: 'INT16',
  6: 'INT32',
  7: 'INT64',
  8: 'BYTES',
  9: 'BOOL',
  10: 'FP16',
  11: 'FP64',
  12: 'UINT32',
  13: 'UINT64',
  16: 'BF16',
}

const kinds: Record<number, OnnxTensor['kind']> = {
  1: 'tensor',
  4: 'sequence',
  5: 'map',
  7: 'opaque',
  8: 'sparse tensor',
  9: 'optional',
}

/** First bytes of what people upload by mistake. */
const mistakes: { name: string; starts: number[] }[] = [
  { name: 'a zip archive (PyTorch, Keras and NumPy files are)', starts: [0x50, 0x4b, 0x03, 0x04] },
  { name: 'a Python pickle', starts: [0x80, 0x04, 0x95] },
  { name: 'a Python pickle', starts: [0x80, 0x05, 0x95] },
  { name: 'an HDF5 file', starts: [0x89, 0x48, 0x44, 0x46] },
  { name: 'a gzip file', starts: [0x1f, 0x8b] },
]

/**
 * What an ONNX model says about itself, read from its protobuf (onnx/onnx.proto, IR version 3 and later) without
 * loading weights or running anything. It reads bytes that a stranger uploaded, so everything is bounded.
 *
 * @throws OnnxError
 */
export function readGraph(model: Uint8Array): OnnxGraph {
  const mistake = mistakes.find(({ starts }) => starts.every((byte, i) => model[i] === byte))
  if (mistake !== undefined) throw new OnnxError(`This is no ONNX model but ${mistake.name}`)
  try {
    return readModel(model)
  } catch (error) {
    if (error instanceof ProtobufError) {
      throw new OnnxError(`This is no ONNX model, or only a part of one: ${error.message}`, { cause: error })
    }
    throw error
  }
}

function readModel(model: Uint8Array): OnnxGraph {
  const operators: Operators = { counts: new Map(), nodes: 0 }
  const result: OnnxGraph = {
    irVersion: 0,
    producer: '',
    producerVersion: '',
    opsets: [],
    inputs: [],
    outputs: [],
    operators: [],
    metadata: {},
  }
  const metadata: [string, string][] = []
  let graph: Uint8Array | undefined
  for (const { number, varint, bytes } of readFields(model)) {
    if (number === 1) result.irVersion = varint
    else if (bytes === undefined) continue
    else if (number === 2) result.producer = text(bytes)
    else if (number === 3) result.producerVersion = text(bytes)
    else if (number === 7) {
      if (graph !== undefined) throw new OnnxError('The ONNX model has more than one graph')
      graph = bytes
    } else if (number === 8) result.opsets.push(readOpset(bytes))
    else if (number === 14) metadata.push(readEntry(bytes))
    else if (number === 25) readFunction(bytes, operators)
  }
  if (result.irVersion < 3) throw new OnnxError('This is no ONNX model: it states no IR version of 3 or later')
  if (graph === undefined) throw new OnnxError('The ONNX model has no graph')
  if (result.opsets.length === 0) throw new OnnxError('The ONNX model imports no operator set')

  const { inputs, outputs } = readGraphProto(graph, operators, 0)
  if (outputs.length === 0) throw new OnnxError('The ONNX graph has no output')
  const byName = ([a]: [string, unknown], [b]: [string, unknown]) => (a < b ? -1 : 1)
  return {
    ...result,
    inputs,
    outputs,
    metadata: Object.fromEntries(metadata),
    operators: [...operators.counts].sort(byName).map(([, operator]) => operator),
  }
}

interface Operators {
  counts: Map<string, OnnxOperator>
  nodes: number
}

function readGraphProto(
  graph: Uint8Array,
  operators: Operators,
  depth: number,
): { inputs: OnnxTensor[]; outputs: OnnxTensor[] } {
  if (depth > onnxLimits.subgraphDepth) {
    throw new OnnxError(`The ONNX graph nests subgraphs deeper than ${onnxLimits.subgraphDepth}`)
  }
  const inputs: OnnxTensor[] = []
  const outputs: OnnxTensor[] = []
  const initializers = new Set<string>()
  for (const { number, bytes } of readFields(graph)) {
    if (bytes === undefined) continue
    if (number === 1) readNode(bytes, operators, depth)
    else if (number === 5) initializers.add(readTensor(bytes))
    else if (number === 11) inputs.push(readValueInfo(bytes))
    else if (number === 12) outputs.push(readValueInfo(bytes))
    else if (number === 15) initializers.add(readSparseTensor(bytes))
    if (inputs.length + outputs.length > onnxLimits.tensors) {
      throw new OnnxError(`The ONNX graph has more than ${onnxLimits.tensors} inputs and outputs`)
    }
  }
  return { inputs: inputs.filter(({ name }) => !initializers.has(name)), outputs }
}

function readFunction(bytes: Uint8Array, operators: Operators): void {
  for (const field of readFields(bytes)) {
    if (field.number === 7 && field.bytes !== undefined) readNode(field.bytes, operators, 0)
  }
}

function readNode(bytes: Uint8Array, operators: Operators, depth: number): void {
  operators.nodes += 1
  if (operators.nodes > onnxLimits.nodes) throw new OnnxError(`The ONNX graph has more than ${onnxLimits.nodes} nodes`)
  let type = ''
  let domain = ''
  for (const field of readFields(bytes)) {
    if (field.bytes === undefined) continue
    if (field.number === 4) type = text(field.bytes)
    else if (field.number === 7) domain = text(field.bytes)
    else if (field.number === 5) readAttribute(field.bytes, operators, depth)
  }
  if (type === '') throw new OnnxError('A node of the ONNX graph has no operator type')
  if (domain === 'ai.onnx') domain = ''
  const key = `${domain}:${type}`
  const operator = operators.counts.get(key) ?? { domain, type, count: 0 }
  operators.counts.set(key, operator)
  operator.count += 1
}

/** Attributes matter for the tensors they hold (`Constant`) and for subgraphs (`If`, `Loop`, `Scan`). */
function readAttribute(bytes: Uint8Array, operators: Operators, depth: number): void {
  for (const field of readFields(bytes)) {
    if (field.bytes === undefined) continue
    if (field.number === 5 || field.number === 10) readTensor(field.bytes)
    else if (field.number === 6 || field.number === 11) readGraphProto(field.bytes, operators, depth + 1)
    else if (field.number === 22 || field.number === 23) readSparseTensor(field.bytes)
  }
}

/** The name of a tensor that carries its data; data in another file would escape the digest of the model. */
function readTensor(bytes: Uint8Array): string {
  let name = ''
  let external = false
  let location = 'an unnamed file'
  for (const field of readFields(bytes)) {
    if (field.number === 14) external ||= field.varint === 1
    else if (field.bytes === undefined) continue
    else if (field.number === 8) name = text(field.bytes)
    else if (field.number === 13) {
      external = true
      const [key, value] = readEntry(field.bytes)
      if (key === 'location') location = value
    }
  }
  if (external) {
    throw new OnnxError(
      `The tensor ${name || 'without a name'} keeps its data in ${location}; save the model as one file (onnx.save_model with save_as_external_data=False)`,
    )
  }
  return name
}

function readSparseTensor(bytes: Uint8Array): string {
  let name = ''
  for (const field of readFields(bytes)) {
    if (field.bytes === undefined) continue
    if (field.number === 1) name = readTensor(field.bytes)
    else if (field.number === 2) readTensor(field.bytes)
  }
  return name
}

function readValueInfo(bytes: Uint8Array): OnnxTensor {
  const tensor: OnnxTensor = { name: '', kind: 'opaque', datatype: null, shape: null }
  for (const field of readFields(bytes)) {
    if (field.bytes === undefined) continue
    if (field.number === 1) tensor.name = text(field.bytes)
    else if (field.number === 2) Object.assign(tensor, readType(field.bytes))
  }
  if (tensor.name === '') throw new OnnxError('An input or output of the ONNX graph has no name')
  return tensor
}

function readType(bytes: Uint8Array): Omit<OnnxTensor, 'name'> {
  for (const { number, bytes: type } of readFields(bytes)) {
    const kind = kinds[number]
    if (kind === undefined || type === undefined) continue
    if (kind !== 'tensor') return { kind, datatype: null, shape: null }
    let datatype: string | null = null
    let shape: number[] | null = null
    for (const field of readFields(type)) {
      if (field.number === 1) datatype = datatypeNames[field.varint] ?? null
      else if (field.number === 2 && field.bytes !== undefined) shape = readShape(field.bytes)
    }
    return { kind, datatype, shape }
  }
  return { kind: 'opaque', datatype: null, shape: null }
}

/** A dimension with a name or without a value is free. */
function readShape(bytes: Uint8Array): number[] {
  const shape: number[] = []
  for (const { number, bytes: dimension } of readFields(bytes)) {
    if (number !== 1 || dimension === undefined) continue
    let size = -1
    for (const field of readFields(dimension)) if (field.number === 1 && field.varint >= 0) size = field.varint
    shape.push(size)
    if (shape.length > onnxLimits.rank) throw new OnnxError(`A shape has more than ${onnxLimits.rank} dimensions`)
  }
  return shape
}

function readOpset(bytes: Uint8Array): { domain: string; version: number } {
  const opset = { domain: '', version: 0 }
  for (const field of readFields(bytes)) {
    if (field.number === 1 && field.bytes !== undefined) opset.domain = text(field.bytes)
    else if (field.number === 2) opset.version = field.varint
  }
  return opset.domain === 'ai.onnx' ? { ...opset, domain: '' } : opset
}

function readEntry(bytes: Uint8Array): [key: string, value: string] {
  let key = ''
  let value = ''
  for (const field of readFields(bytes)) {
    if (field.bytes === undefined) continue
    if (field.number === 1) key = text(field.bytes)
    else if (field.number === 2) value = new TextDecoder().decode(field.bytes)
  }
  return [key, value]
}

function text(bytes: Uint8Array): string {
  if (bytes.length > onnxLimits.nameBytes) {
    throw new OnnxError(`A name in the ONNX model has more than ${onnxLimits.nameBytes} bytes`)
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new OnnxError('This is no ONNX model: a name in it is not UTF-8 text')
  }
}
