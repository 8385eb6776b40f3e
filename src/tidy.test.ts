import { readdirSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { describe, expect, it } from 'vitest'
import { operations } from '#modules/contracts.ts'
import { modules } from '#modules/index.ts'

// The shape of the code, as a test. Every file under src belongs to exactly one layer and a layer says what it may
// import; a file that no layer holds fails. ARCHITECTURE.md says why the layers are as they are.

interface SourceFile {
  /** Relative to the repository's root. */
  path: string
  text: string
  /** Our own files by path, packages as `npm:…`, built-ins as `node:…`; type imports and dynamic ones included. */
  imports: string[]
}

interface Layer {
  name: string
  holds: RegExp
  mayImport(imported: string, from: SourceFile): boolean
}

const moduleOrder = modules.map((module) => module.name)

// What deletes, tells of the past, copies from elsewhere or converts has a contract of its own where one file would be too long.
const contract = /^src\/(platform\/kernel|modules\/[a-z-]+)\/((trash|served|import|twin)-)?contract\.ts$/
const consoleCode = /^src\/(console|modules\/[a-z-]+\/console)\//
const testTools = /^(npm:(vitest|fast-check)$|src\/testing\/)/
const sql = /^(npm:(kysely|pg)($|\/)|src\/platform\/storage\/database\/)/

const layers: Layer[] = [
  {
    name: 'algorithms',
    holds: /^src\/algorithms\//,
    mayImport: (imported) => /^(src\/algorithms\/|node:crypto$)/.test(imported),
  },
  {
    name: 'contracts',
    holds: contract,
    mayImport: (imported, from) =>
      /^(src\/platform\/(operation|names|errors)\.ts$|src\/algorithms\/|npm:zod$)/.test(imported) ||
      (contract.test(imported) &&
        (moduleOf(imported) === moduleOf(from.path) || isEarlier(moduleOf(imported), moduleOf(from.path)))),
  },
  {
    name: 'platform',
    holds: /^src\/platform\//,
    mayImport: (imported) => /^(src\/(platform|algorithms)\/|npm:|node:)/.test(imported),
  },
  {
    name: 'console',
    holds: consoleCode,
    mayImport: (imported) =>
      consoleCode.test(imported) ||
      contract.test(imported) ||
      /^(src\/platform\/(surfaces\/client|operation|errors|actor)\.ts$|npm:|node:)/.test(imported),
  },
  {
    name: 'lists',
    holds: /^src\/(modules\/(index|contracts)|protocols\/index)\.ts$/,
    mayImport: (imported, { path }) =>
      /^src\/platform\//.test(imported) ||
      contract.test(imported) ||
      (path.endsWith('/index.ts') && /^src\/(modules|protocols)\/[a-z-]+\/module\.ts$/.test(imported)),
  },
  {
    name: 'modules',
    holds: /^src\/modules\/[a-z-]+\//,
    mayImport: mayModuleImport,
  },
  {
    name: 'inference',
    holds: /^src\/inference\//,
    mayImport: (imported) =>
      !sql.test(imported) &&
      /^(src\/(inference|platform|algorithms)\/|src\/modules\/(releases|predictions)\/contract\.ts$|npm:|node:)/.test(
        imported,
      ),
  },
  {
    name: 'protocols',
    holds: /^src\/protocols\//,
    mayImport: (imported, from) =>
      !sql.test(imported) &&
      (contract.test(imported) ||
        sameFolder(imported, from.path, 3) ||
        /^(src\/(platform|algorithms)\/|npm:|node:)/.test(imported)),
  },
  {
    name: 'commands',
    holds: /^src\/(commands\/|cli\.ts$)/,
    mayImport: () => true,
  },
  {
    name: 'testing',
    holds: /^src\/testing\//,
    mayImport: () => true,
  },
  {
    name: 'tests of the whole',
    holds: /^src\/[a-z-]+\.test\.ts$/,
    mayImport: () => true,
  },
]

/** Its own files, what lies below, and of earlier modules their contract and their queries. */
function mayModuleImport(imported: string, from: SourceFile): boolean {
  if (/^(src\/(platform|algorithms)\/|npm:|node:)/.test(imported)) return true
  if (sameFolder(imported, from.path, 3)) return !consoleCode.test(imported)
  const [, other = '', file = ''] = /^src\/modules\/([a-z-]+)\/(.*)$/.exec(imported) ?? []
  if (!isEarlier(other, moduleOf(from.path))) return false
  return contract.test(imported) || file === 'queries.ts'
}

/** What tests may import beside what their layer may: each other, and modules to assemble a platform from. */
function mayTestImport(imported: string, from: SourceFile): boolean {
  if (/^(npm:|node:)/.test(imported) || isForTests(imported)) return true
  if (/^src\/(platform|algorithms)\//.test(from.path)) return false
  const [, other = ''] =
    /^src\/modules\/([a-z-]+)\/(?:module|(?:(?:trash|served|import|twin)-)?contract)\.ts$/.exec(imported) ?? []
  return isEarlier(other, moduleOf(from.path)) || !from.path.startsWith('src/modules/')
}

function isEarlier(module: string, than: string): boolean {
  const [at, limit] = [moduleOrder.indexOf(module), moduleOrder.indexOf(than)]
  return at >= 0 && limit >= 0 && at < limit
}

/** A test, and whatever imports the tools of tests; nothing else may import it. */
function isForTests(path: string): boolean {
  if (path.endsWith('.test.ts') || path.startsWith('src/testing/')) return true
  const file = files.find((one) => one.path === path)
  return file?.imports.some((one) => testTools.test(one)) ?? false
}

/** Operations that are not handled in a file of their name, each with its reason. */
const handledElsewhere: Record<string, string> = {}

/** What no code may contain; `in` narrows the rule to some files. */
const forbidden: ReadonlyArray<{ pattern: RegExp; in?(path: string): boolean; why: string }> = [
  {
    pattern: /\bprocess\.env\b/,
    in: (path) => path !== 'src/platform/config.ts' && !isForTests(path),
    why: 'only config.ts reads the environment',
  },
  {
    pattern: /\bDate\.now\(|\bnew Date\(\)/,
    in: (path) => path !== 'src/platform/clock.ts' && !isForTests(path),
    why: 'the time comes from the context’s clock',
  },
  {
    pattern: /\bMath\.random\(|\brandomUUID\b/,
    in: (path) => path !== 'src/platform/ids.ts' && !isForTests(path),
    why: 'ids and randomness come from the context’s ids',
  },
  { pattern: /new PaveError\(\s*'/, why: 'the code of an error stands in a table of defineErrors' },
  { pattern: /[:<|,(]\s*any\b(?!\s*[(:])|\bas any\b/, why: 'no any' },
]

const forbiddenComments = /\b(TODO|FIXME|XXX)\b|biome-ignore|@ts-(ignore|expect-error|nocheck)|eslint-disable/
const longestFile = 700

/** Statements start their line; a worker or child is named by a URL relative to the file that starts it. */
const importForms = [
  /^(?:import|export)\b[^'"`;]*?\bfrom\s+'([^']+)'/gm,
  /^import\s+'([^']+)'/gm,
  /\bimport\(\s*'([^']+)'/g,
  /\bnew URL\('(\.[^']+\.tsx?)', import\.meta\.url\)/g,
]

const files = readTree('src')
const examples = readTree('examples')

describe('the code', () => {
  it('was seen', () => {
    for (const layer of layers) {
      const held = files.filter((file) => layerOf(file.path) === layer)
      expect(held.length, `files in ${layer.name}`).toBeGreaterThan(0)
    }
    expect(files.reduce((sum, file) => sum + file.imports.length, 0)).toBeGreaterThan(files.length)
    expect(examples.length).toBeGreaterThan(0)
    expect(operations.length).toBeGreaterThan(30)
  })

  it('imports only what its layer may', () => {
    expect(strangeImports(files)).toEqual([])
  })

  it('has no import cycle', () => {
    expect(importCycles(files)).toEqual([])
  })

  it('contains nothing forbidden', () => {
    expect(forbiddenWords(files)).toEqual([])
  })

  it('names its files for what they hold', () => {
    expect(strangeNames(files)).toEqual([])
  })

  it('keeps examples apart', () => {
    expect(strangeExampleImports(examples)).toEqual([])
  })
})

describe('each module', () => {
  const folders = new Set(files.map((file) => moduleOf(file.path)).filter((name) => name !== ''))

  it('is in the ordered list, and has a contract and a module file', () => {
    expect([...folders].sort()).toEqual([...moduleOrder].sort())
    for (const name of folders) {
      expect(pathsOf(files)).toContain(`src/modules/${name}/contract.ts`)
      expect(pathsOf(files)).toContain(`src/modules/${name}/module.ts`)
    }
  })

  it('has its operations listed for clients in the same order', () => {
    const listed = [...new Set(operations.map((one) => one.module))]
    expect(listed).toEqual(['platform', ...moduleOrder].filter((name) => listed.includes(name)))
    const handled = modules.flatMap((module) => module.handlers.map((handler) => handler.operation.name))
    const declared = operations.filter((one) => one.module !== 'platform').map((one) => one.operation.name)
    expect(declared.sort()).toEqual(handled.sort())
  })

  it('handles an operation in the file of its name', () => {
    const missing = operations
      .filter(({ module, operation }) => module !== 'platform' && handledElsewhere[operation.name] === undefined)
      .map(({ module, operation }) => `src/modules/${module}/${operation.name}.ts`)
      .filter((path) => !pathsOf(files).includes(path))
    expect(missing).toEqual([])
  })

  it('numbers its migrations without a gap', () => {
    for (const name of folders) {
      const numbers = pathsOf(files).flatMap((path) =>
        path.startsWith(`src/modules/${name}/migrations/`) ? [Number(posix.basename(path).slice(0, 4))] : [],
      )
      expect(numbers, name).toEqual(numbers.map((_, index) => index + 1))
    }
  })
})

describe('the rules', () => {
  it.each<[string, string, string]>([
    ['src/platform/x.ts', `import type { A } from '#modules/${moduleOrder[0]}/contract.ts'`, 'a module'],
    ['src/platform/x.ts', `const a = await import('#inference/serve.ts')`, 'the other plane'],
    ['src/algorithms/x.ts', `import { a } from '../platform/errors.ts'`, 'anything of ours'],
    ['src/algorithms/x.ts', `import { readFile } from 'node:fs/promises'`, 'I/O'],
    [`src/modules/${moduleOrder[0]}/x.ts`, `import { a } from '../${moduleOrder[1]}/contract.ts'`, 'a later module'],
    [
      `src/modules/${moduleOrder[1]}/x.ts`,
      `import {\n  a,\n} from '#modules/${moduleOrder[0]}/tables.ts'`,
      'internals',
    ],
    [`src/modules/${moduleOrder[1]}/contract.ts`, `export * from '#modules/${moduleOrder[0]}/queries.ts'`, 'queries'],
    ['src/inference/x.ts', `import { sql } from 'kysely'`, 'SQL'],
    ['src/inference/x.ts', `import { a } from '#modules/registry/contract.ts'`, 'other contracts'],
    ['src/protocols/x/x.ts', `import { sql } from 'kysely'`, 'SQL'],
    ['src/protocols/x/x.ts', `import { a } from '#modules/registry/queries.ts'`, 'queries'],
    ['src/console/x.tsx', `import { a } from '#platform/ids.ts'`, 'the kernel'],
    ['src/commands/x.ts', `import { a } from '#testing/platform.ts'`, 'tools of tests'],
    ['src/elsewhere/x.ts', '', 'no layer at all'],
  ])('catch %s with %j: %s', (path, text) => {
    expect(strangeImports([sourceFile(path, text)])).toHaveLength(1)
  })

  it('catch a cycle, of types too', () => {
    const a = sourceFile('src/platform/a.ts', `import type { B } from './b.ts'`)
    const b = sourceFile('src/platform/b.ts', `export { a } from './a.ts'`)
    expect(importCycles([a, b])).toEqual(['src/platform/a.ts → src/platform/b.ts → src/platform/a.ts'])
    expect(importCycles([a])).toEqual([])
  })

  it.each([
    'const at = Date.now()',
    'const at = new Date()',
    'const id = Math.random()',
    'const home = process.env.HOME',
    `throw new PaveError('not_in_a_table', 'message')`,
    'const x = y as any',
    'function f(x: any) {}',
    '// TODO later',
    '// @ts-ignore',
    'x\n'.repeat(longestFile + 1),
  ])('catch %.40j', (text) => {
    expect(forbiddenWords([sourceFile('src/platform/x.ts', text)])).toHaveLength(1)
  })

  it('let through what only looks alike', () => {
    const innocent = ['const at = new Date(0)', 'any(1)', '/** Reads process.env. */', 'const any: string = x'].join(
      '\n',
    )
    expect(forbiddenWords([sourceFile('src/platform/x.ts', innocent)])).toEqual([])
  })

  it('catch an example that reaches into Pave', () => {
    const reaching = sourceFile('examples/a/steps/x.ts', `import { a } from '../../../src/platform/ids.ts'`)
    expect(strangeExampleImports([reaching])).toHaveLength(1)
  })
})

function strangeImports(sources: readonly SourceFile[]): string[] {
  return sources.flatMap((file) => {
    const layer = layerOf(file.path)
    if (layer === undefined) return [`${file.path} belongs to no layer`]
    return file.imports
      .filter((imported) =>
        isForTests(file.path)
          ? !layer.mayImport(imported, file) && !mayTestImport(imported, file)
          : !layer.mayImport(imported, file) || isForTests(imported),
      )
      .map((imported) => `${file.path} (${layer.name}) imports ${imported}`)
  })
}

function strangeExampleImports(sources: readonly SourceFile[]): string[] {
  return sources.flatMap(({ path, imports }) => {
    const example = path.split('/').slice(0, 2).join('/')
    return imports
      .filter((imported) => !/^(npm|node):/.test(imported) && !imported.startsWith(`${example}/`))
      .map((imported) => `${path} imports ${imported}`)
  })
}

/** Depth-first; each cycle once, from where it was entered. */
function importCycles(sources: readonly SourceFile[]): string[] {
  const graph = new Map(sources.map((file) => [file.path, file.imports]))
  const finished = new Set<string>()
  const cycles: string[] = []
  const visit = (path: string, trail: readonly string[]) => {
    if (trail.includes(path)) {
      cycles.push([...trail.slice(trail.indexOf(path)), path].join(' → '))
      return
    }
    if (finished.has(path)) return
    for (const next of graph.get(path) ?? []) visit(next, [...trail, path])
    finished.add(path)
  }
  for (const path of graph.keys()) visit(path, [])
  return cycles
}

function forbiddenWords(sources: readonly SourceFile[]): string[] {
  return sources.flatMap(({ path, text }) => {
    const found: string[] = []
    const code = withoutComments(text)
    for (const rule of forbidden) {
      if ((rule.in?.(path) ?? true) && rule.pattern.test(code)) found.push(`${path}: ${rule.why}`)
    }
    if (forbiddenComments.test(text)) found.push(`${path}: ${forbiddenComments.exec(text)?.[0]}`)
    const lines = text.split('\n').length
    if (lines > longestFile) found.push(`${path}: ${lines} lines`)
    return found
  })
}

function strangeNames(sources: readonly SourceFile[]): string[] {
  return sources
    .map((file) => file.path)
    .filter((path) => !/^([a-z][a-z0-9-]*\/)+(\d{4}-)?[a-z][a-z0-9-]*(\.(test|fixture))?\.tsx?$/.test(path))
}

function layerOf(path: string): Layer | undefined {
  return layers.find((layer) => layer.holds.test(path))
}

function moduleOf(path: string): string {
  return /^src\/modules\/([a-z-]+)\//.exec(path)?.[1] ?? ''
}

function sameFolder(a: string, b: string, depth: number): boolean {
  const folder = (path: string) => path.split('/').slice(0, depth).join('/')
  return a.split('/').length > depth && folder(a) === folder(b)
}

function pathsOf(sources: readonly SourceFile[]): string[] {
  return sources.map((file) => file.path)
}

function readTree(folder: string): SourceFile[] {
  const root = new URL('../', import.meta.url)
  return readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => posix.join(folder, name))
    .filter((path) => path !== 'src/tidy.test.ts')
    .sort()
    .map((path) => sourceFile(path, readFileSync(new URL(path, root), 'utf8')))
}

function sourceFile(path: string, text: string): SourceFile {
  const specifiers = importForms.flatMap((form) => [...text.matchAll(form)].map(([, specifier = '']) => specifier))
  return { path, text, imports: [...new Set(specifiers.map((specifier) => resolveImport(specifier, path)))] }
}

function resolveImport(specifier: string, from: string): string {
  if (specifier.startsWith('#')) return `src/${specifier.slice(1)}`
  if (specifier.startsWith('.')) return posix.join(posix.dirname(from), specifier)
  return specifier.startsWith('node:') ? specifier : `npm:${specifier}`
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1')
}
