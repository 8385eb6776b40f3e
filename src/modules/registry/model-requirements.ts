import type { OnnxTwin } from './contract.ts'

const shared = [
  'onnx==1.23.2',
  'onnxruntime==1.31.1',
  'pandas',
  // The converters hand NumPy integers to protobuf, which version 7 no longer takes.
  'protobuf==6.33.6',
]

/** What converts a model of each flavour. A pipeline of scikit-learn may hold any of the trees. */
const converters: Record<OnnxTwin['flavor'], readonly string[]> = {
  sklearn: [...shared, 'onnxmltools==1.16.0', 'skl2onnx==1.20.0'],
  xgboost: [...shared, 'onnxmltools==1.16.0', 'skl2onnx==1.20.0'],
  lightgbm: [...shared, 'onnxmltools==1.16.0', 'skl2onnx==1.20.0'],
  pytorch: [...shared, 'onnxscript==0.7.2'],
}

export function converterRequirements(flavor: OnnxTwin['flavor']): string {
  return `${converters[flavor].join('\n')}\n`
}

/**
 * What MLflow wrote that the model needs, with the part of MLflow that loads models in place of the whole, which brings a
 * server and half a gigabyte.
 */
export function modelRequirements(written: string): string {
  const lines = written
    .split('\n')
    .map((line) => line.trim().replace(/^mlflow(\[[^\]]*\])?(?=\s*([=<>!~;]|$))/, 'mlflow-skinny'))
  if (!lines.some((line) => /^mlflow(-skinny)?\b/.test(line))) lines.push('mlflow-skinny')
  return `${lines.filter((line) => line !== '').join('\n')}\n`
}

/** Of MLflow's `python_env.yaml`: the Python that the model was logged with, without its last number. */
export function pythonVersion(written: string): string {
  return /^python:\s*['"]?(\d+\.\d+)/m.exec(written)?.[1] ?? '3'
}
