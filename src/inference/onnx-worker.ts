import { parentPort } from 'node:worker_threads'
import { InferenceSession, Tensor as RuntimeTensor } from 'onnxruntime-node'
import { allocateTensor, type Datatype, isDatatype, type Tensor } from '#algorithms/tensors/datatypes.ts'
import { compareSignature, type ModelSignature, type StatedTensor } from '#algorithms/tensors/signature.ts'
import { isServed, runtimeTypes, type WorkerReply, type WorkerRequest } from './onnx-messages.ts'

/**
 * The only place where ONNX Runtime is loaded: its calls block the thread they are made on, so that thread answers no
 * HTTP. One session for each version; a thread is either loading or running, never both.
 */

const sessions = new Map<string, InferenceSession>()
const datatypeOf = new Map<string, Datatype>()
for (const [name, type] of Object.entries(runtimeTypes)) if (isDatatype(name)) datatypeOf.set(type, name)

const sessionOptions: InferenceSession.SessionOptions = {
  executionProviders: ['cpu'],
  // Parallelism comes from the number of workers; ONNX Runtime's own threads would spin while they wait.
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  logSeverityLevel: 3,
  extra: { session: { intra_op: { allow_spinning: '0' }, inter_op: { allow_spinning: '0' } } },
}

async function load(version: string, bytes: Uint8Array, signature: ModelSignature): Promise<Tensor[]> {
  const session = await InferenceSession.create(bytes, sessionOptions)
  try {
    const graph = { inputs: session.inputMetadata.map(stated), outputs: session.outputMetadata.map(stated) }
    const differences = compareSignature(signature, graph)
    if (differences.length > 0) throw new Error(differences.join('; '))
    sessions.set(version, session)
    // The first run allocates what the later ones reuse, and shows a graph that cannot run at all.
    const outputs = signature.outputs.map(({ name }) => name)
    return await run(version, signature.inputs.map(emptyTensor), outputs)
  } catch (error) {
    sessions.delete(version)
    await session.release()
    throw error
  }
}

function stated(metadata: InferenceSession.ValueMetadata): StatedTensor {
  const { name } = metadata
  if (!metadata.isTensor) return { name, datatype: null, shape: null }
  const shape = metadata.shape.map((size) => (typeof size === 'number' ? size : -1))
  return { name, datatype: datatypeOf.get(metadata.type) ?? null, shape }
}

function emptyTensor({ name, datatype, shape: declared }: ModelSignature['inputs'][number]): Tensor {
  if (!isServed(datatype)) throw new Error(`The input ${name} has datatype ${datatype}, which cannot be served`)
  const shape = declared.map((size) => (size < 0 ? 1 : size))
  const length = shape.reduce((product, size) => product * size, 1)
  return { name, datatype, shape, data: allocateTensor(datatype, length) }
}

async function run(version: string, inputs: readonly Tensor[], outputs: readonly string[]): Promise<Tensor[]> {
  const session = sessions.get(version)
  if (session === undefined) throw new Error(`${version} is not loaded`)
  const feeds: Record<string, RuntimeTensor> = {}
  for (const { name, datatype, shape, data } of inputs) {
    if (!isServed(datatype)) throw new Error(`The input ${name} has datatype ${datatype}, which cannot be served`)
    feeds[name] = new RuntimeTensor(runtimeTypes[datatype], data, shape)
  }
  const results = await session.run(feeds, outputs)
  return outputs.map((name) => toTensor(name, results[name]))
}

function toTensor(name: string, value: InferenceSession.ReturnType[string] | undefined): Tensor {
  const datatype = value instanceof RuntimeTensor ? datatypeOf.get(value.type) : undefined
  if (value === undefined || datatype === undefined)
    throw new Error(`The output ${name} is no tensor that can be served`)
  return { name, datatype, shape: [...value.dims], data: value.data }
}

async function answer(request: WorkerRequest): Promise<Tensor[]> {
  if (request.kind === 'run') return run(request.version, request.inputs, request.outputs)
  if (request.kind === 'load') return load(request.version, request.bytes, request.signature)
  await sessions.get(request.version)?.release()
  sessions.delete(request.version)
  return []
}

function reply(message: WorkerReply): void {
  parentPort?.postMessage(message)
}

parentPort?.on('message', (request: WorkerRequest) => {
  answer(request).then(
    (tensors) => reply({ id: request.id, tensors }),
    (error: unknown) => reply({ id: request.id, error: error instanceof Error ? error.message : String(error) }),
  )
})
