import { expect, it } from 'vitest'
import { converterRequirements, modelRequirements, pythonVersion } from './model-requirements.ts'

it('takes the small MLflow for the whole one, of the same version, and leaves everything else', () => {
  const written = 'mlflow==3.17.2\nscikit-learn==1.9.1\nmlflow-extras==1.0\n-c constraints.txt'
  expect(modelRequirements(written)).toBe(
    'mlflow-skinny==3.17.2\nscikit-learn==1.9.1\nmlflow-extras==1.0\n-c constraints.txt\n',
  )
  expect(modelRequirements('mlflow[databricks]<3 ; python_version > "3"\n')).toBe(
    'mlflow-skinny<3 ; python_version > "3"\n',
  )
  expect(modelRequirements('mlflow\n')).toBe('mlflow-skinny\n')
})

it('adds MLflow where the model names none', () => {
  expect(modelRequirements('')).toBe('mlflow-skinny\n')
  expect(modelRequirements('numpy\n')).toBe('numpy\nmlflow-skinny\n')
  expect(modelRequirements('mlflow-skinny==3.16.1')).toBe('mlflow-skinny==3.16.1\n')
})

it('pins what converts', () => {
  expect(converterRequirements('sklearn')).toContain('skl2onnx==')
  expect(converterRequirements('pytorch')).not.toContain('skl2onnx')
})

it.each([
  ['python: 3.11.7\nbuild_dependencies:\n- pip==23.2.1', '3.11'],
  ["python: '3.12'", '3.12'],
  ['', '3'],
])('reads the Python of %j', (written, version) => {
  expect(pythonVersion(written)).toBe(version)
})
