import { spawn } from 'node:child_process'
import { dirname } from 'node:path'

// `npm run check`: one line for each check; what it said is shown only when it failed.

const checks = [
  { name: 'types', run: ['node_modules/typescript/bin/tsc', '--noEmit', '--project', '.'] },
  { name: 'lint', run: ['node_modules/@biomejs/biome/bin/biome', 'ci', '--error-on-warnings', '.'] },
  { name: 'tidy', run: ['node_modules/vitest/vitest.mjs', 'run', 'src/tidy.test.ts'] },
  { name: 'dead code', run: ['node_modules/knip/bin/knip.js', '--no-progress'] },
]

function run(args: readonly string[]): Promise<{ passed: boolean; said: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      cwd: dirname(import.meta.dirname),
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const said: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => said.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => said.push(chunk))
    child.on('error', reject)
    child.on('close', (code) => resolve({ passed: code === 0, said: Buffer.concat(said).toString() }))
  })
}

for (const check of checks) {
  const started = performance.now()
  const { passed, said } = await run(check.run)
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  console.log(`${passed ? 'passed' : 'FAILED'}  ${check.name.padEnd(10)} ${seconds.padStart(5)} s`)
  if (passed) continue
  console.log(said)
  process.exitCode = 1
}
