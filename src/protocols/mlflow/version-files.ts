import { FileTree, type Signature, type Version } from '#modules/registry/contract.ts'
import type { Call } from './endpoint.ts'
import { mlflowRunId } from './run-id.ts'

/** Names of the Open Inference Protocol to those of NumPy; MLflow calls a text `str`. */
const dtypes: Record<string, string> = {
  BOOL: 'bool',
  UINT8: 'uint8',
  UINT16: 'uint16',
  UINT32: 'uint32',
  UINT64: 'uint64',
  INT8: 'int8',
  INT16: 'int16',
  INT32: 'int32',
  INT64: 'int64',
  FP16: 'float16',
  FP32: 'float32',
  FP64: 'float64',
  BYTES: 'str',
}

export const graphFile = 'model.onnx'

const largestFileTree = 64 * 1024 ** 2

/** What a version was logged with. */
export async function readVersionFiles(call: Call, version: Version): Promise<FileTree> {
  if (version.files === null) return []
  const bytes = await call.platform.services.objects.read(version.files, { maxBytes: largestFileTree })
  return FileTree.parse(JSON.parse(bytes.toString('utf8')))
}

/**
 * The `MLmodel` file of a version that is an ONNX graph and was registered without files: the stock client loads it with
 * `mlflow.onnx` or `mlflow.pyfunc`, whoever trained it. JSON is YAML.
 */
export function writeModelFile(version: Version): string {
  return JSON.stringify(
    {
      artifact_path: 'model',
      flavors: {
        onnx: { data: graphFile, onnx_version: null, providers: ['CPUExecutionProvider'], code: null },
        python_function: { loader_module: 'mlflow.onnx', data: graphFile, env: {} },
      },
      model_uuid: version.digest.slice('sha256:'.length, 'sha256:'.length + 32),
      ...(version.run !== null && { run_id: mlflowRunId(version.run) }),
      signature: {
        inputs: JSON.stringify(tensorSpecs(version.signature.inputs)),
        outputs: JSON.stringify(tensorSpecs(version.signature.outputs)),
      },
      utc_time_created: version.registeredAt.replace('T', ' ').replace('Z', ''),
    },
    undefined,
    2,
  )
}

function tensorSpecs(tensors: Signature['inputs']) {
  return tensors.map(({ name, datatype, shape }) => ({
    name,
    type: 'tensor',
    'tensor-spec': { dtype: dtypes[datatype] ?? 'float32', shape },
  }))
}
