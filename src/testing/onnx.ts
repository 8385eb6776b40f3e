export { linearModel } from '#inference/tiny-onnx.ts'
