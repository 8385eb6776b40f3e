import { parentPort } from 'node:worker_threads'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import {
  allocate,
  type Datatype,
  isDatatype,
  type ModelTensor,
  runtimeTypes,
  type Signature,
  type WorkerReply,
  type WorkerRequest,
} from './onnx-messages.ts'

/**
 * The only place where ONNX Runtime is loaded: its calls block the thread they are made on, so that thread answers no
 * HTTP. One session for each version; a thread spends its time either loading or running, never both.
 */

const sessions = new Map<string, InferenceSession>()
const datatypes = new Map<string, Datatype>()
for (const name of Object.keys(runtimeTypes)) if (isDatatype(name)) datatypes.set(runtimeTypes[name], name)

const sessionOptions: InferenceSession.SessionOptions = {
  executionProviders: ['cpu'],
  // Parallelism comes from the number of workers; ONNX Runtime's own threads would spin while they wait.
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  logSeverityLevel: 3,
  extra: { session: { intra_op: { allow_spinning: '0' }, inter_op: { allow_spinning: '0' } } },
}

async function load(version: string, bytes: Uint8Array, signature: Signature): Promise<ModelTensor[]> {
  const session = await InferenceSession.create(bytes, sessionOptions)
  try {
    compareNames('input', session.inputNames, signature.inputs, true)
    compareNames('output', session.outputNames, signature.outputs, false)
    compareTypes('input', session.inputMetadata, signature.inputs)
    compareTypes('output', session.outputMetadata, signature.outputs)
    sessions.set(version, session)
    // The first run allocates what the later ones reuse, and shows a graph that cannot run at all.
    return await run(version, signature.inputs.map(emptyInput), signature.outputs.map((tensor) => tensor.name))
  } catch (error) {
    sessions.delete(version)
    await session.release()
    throw error
  }
}

function compareNames(what: string, actual: readonly string[], declared: Signature['inputs'], exact: boolean): void {
  const names = declared.map((tensor) => tensor.name)
  const missing = names.find((name) => !actual.includes(name))
  if (missing !== undefined) {
    throw new Error(`the graph has no ${what} ${missing} of the signature; its ${what}s are ${actual.join(', ')}`)
  }
  const extra = exact ? actual.find((name) => !names.includes(name)) : undefined
  if (extra !== undefined) throw new Error(`the graph needs ${what} ${extra}, which the signature does not have`)
}

function compareTypes(what: string, actual: readonly InferenceSession.ValueMetadata[], declared: Signature['inputs']) {
  for (const { name, datatype } of declared) {
    const found = actual.find((metadata) => metadata.name === name)
    if (found?.isTensor === false) throw new Error(`${what} ${name} of the graph is no tensor`)
    const type = found?.isTensor === true ? datatypes.get(found.type) : undefined
    if (type !== datatype) {
      throw new Error(`${what} ${name} is ${type ?? 'of an unknown type'} in the graph and ${datatype} in the signature`)
    }
  }
}

function emptyInput({ name, datatype, shape }: Signature['inputs'][number]): ModelTensor {
  if (!isDatatype(datatype)) throw new Error(`input ${name} has datatype ${datatype}, which cannot be served`)
  const dims = shape.map((dimension) => (dimension < 0 ? 1 : dimension))
  return { name, datatype, shape: dims, data: allocate(datatype, dims.reduce((product, n) => product * n, 1)) }
}

async function run(version: string, inputs: ModelTensor[], outputs: readonly string[]): Promise<ModelTensor[]> {
  const session = sessions.get(version)
  if (session === undefined) throw new Error(`${version} is not loaded`)
  const feeds: Record<string, Tensor> = {}
  for (const { name, datatype, shape, data } of inputs) feeds[name] = new Tensor(runtimeTypes[datatype], data, shape)
  const results = await session.run(feeds, outputs)
  return outputs.map((name) => toModelTensor(name, results[name]))
}

function toModelTensor(name: string, value: InferenceSession.ReturnType[string] | undefined): ModelTensor {
  if (!(value instanceof Tensor)) throw new Error(`output ${name} is no tensor`)
  const datatype = datatypes.get(value.type)
  if (datatype === undefined) {
    throw new Error(`output ${name} has type ${value.type}, which cannot be served`)
  }
  return { name, datatype, shape: value.dims, data: value.data }
}

async function answer(request: WorkerRequest): Promise<ModelTensor[]> {
  if (request.kind === 'run') return run(request.version, request.inputs, request.outputs)
  if (request.kind === 'load') return load(request.version, request.bytes, request.signature)
  await sessions.get(request.version)?.release()
  sessions.delete(request.version)
  return []
}

parentPort?.on('message', (request: WorkerRequest) => {
  answer(request).then(
    (tensors) => parentPort?.postMessage({ id: request.id, tensors } satisfies WorkerReply),
    (error: unknown) =>
      parentPort?.postMessage({
        id: request.id,
        error: error instanceof Error ? error.message : String(error),
      } satisfies WorkerReply),
  )
})
