import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { stripTypeScriptTypes } from 'node:module'
import { dirname, join } from 'node:path'
import { buildConsoleIfStale, consoleDirectory } from '../src/console/build.ts'

/**
 * Writes `dist/package`, which `npm pack` puts into the tarball: the programs without their types, since Node refuses
 * to strip them below node_modules, the built console, the examples, and ONNX Runtime without its install script,
 * which would fetch CUDA libraries from a network that servers often cannot reach.
 */
const root = join(import.meta.dirname, '..')
const target = join(root, 'dist', 'package')

/** What runs: everything but tests, what serves them, and the console's pages, which are in its bundle. */
function isProgram(path: string): boolean {
  if (!path.endsWith('.ts') || /\.(test|fixture|d)\.ts$/.test(path) || path.startsWith('src/testing/')) return false
  const inConsole = /(^|\/)console\//.test(path)
  return !inConsole || path === 'src/console/build.ts'
}

/** `./x.ts` in an import, a worker's URL or a program's path becomes `./x.js`. */
function strip(source: string): string {
  return stripTypeScriptTypes(source)
    .replace(/((?:from|import)\s*\(?\s*'[.#][^'\n]*)\.ts'/g, "$1.js'")
    .replaceAll("from 'onnxruntime-node'", "from '#onnxruntime-node'")
}

async function copyPrograms(): Promise<void> {
  for (const folder of ['src', 'demo']) {
    for (const entry of await readdir(join(root, folder), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue
      const path = join(entry.parentPath, entry.name).slice(root.length + 1)
      const asItIs = /\.(sh|py)$/.test(path)
      if (!isProgram(path) && !asItIs) continue
      const out = join(target, path.replace(/\.ts$/, '.js'))
      await mkdir(dirname(out), { recursive: true })
      if (asItIs) await cp(join(root, path), out)
      else await writeFile(out, strip(await readFile(join(root, path), 'utf8')))
    }
  }
}

/** The systems that the bundled PostgreSQL and Node exist for. */
const systems = ['linux/x64', 'linux/arm64', 'darwin/arm64']

async function copyOnnxRuntime(): Promise<void> {
  const from = join(root, 'node_modules', 'onnxruntime-node')
  const to = join(target, 'vendor', 'onnxruntime-node')
  await cp(join(from, 'dist'), join(to, 'dist'), { recursive: true })
  for (const system of systems) {
    await cp(join(from, 'bin', 'napi-v6', system), join(to, 'bin', 'napi-v6', system), { recursive: true })
  }
  await writeFile(join(to, 'package.json'), JSON.stringify({ name: 'onnxruntime-node', main: 'dist/index.js' }))
}

await rm(target, { recursive: true, force: true })
await mkdir(target, { recursive: true })
await buildConsoleIfStale()
await cp(consoleDirectory, join(target, 'dist', 'console'), { recursive: true })
await copyPrograms()
await copyOnnxRuntime()
await cp(join(root, 'examples'), join(target, 'examples'), {
  recursive: true,
  filter: (path) => !/\.test\.ts$|__pycache__/.test(path),
})
const { name, version, license, imports } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
await writeFile(
  join(target, 'package.json'),
  JSON.stringify(
    {
      name,
      version,
      license,
      type: 'module',
      imports: { ...imports, '#onnxruntime-node': './vendor/onnxruntime-node/dist/index.js' },
    },
    null,
    2,
  ),
)
