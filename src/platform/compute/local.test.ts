import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { systemClock } from '../clock.ts'
import { packBundle } from './bundle.ts'
import type { Compute, StepSpec } from './compute.ts'
import { findLauncher, launcherWorks, uidAndProcesses, uidOnly, unconfined, userNamespace } from './launcher.ts'
import { type LocalComputeOptions, openLocalCompute } from './local.ts'
import { commandOf, descendantsOf, readProcessTable } from './processes.ts'

const asRoot = process.geteuid?.() === 0
const node = { binary: process.execPath, version: process.version }
let serial = 0
const probeDirectory = await newDataDir()
const named = Object.entries({ uidAndProcesses, uidOnly, userNamespace, unconfined })
const working = await Promise.all(
  named.map(async ([name, launcher]) => ({
    name,
    launcher,
    works: (asRoot || !launcher.ownUid) && (await launcherWorks(launcher, probeDirectory)),
  })),
)
afterAll(() => rm(probeDirectory, { recursive: true }))

async function newDataDir(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "compute a'b-"))
  await chmod(directory, 0o711)
  return directory
}

/** Every process whose command line holds the text. */
function processesNaming(text: string): number[] {
  return descendantsOf(readProcessTable(), 0).filter((pid) => commandOf(pid).some((word) => word.includes(text)))
}

describe.concurrent.each(working.filter(({ works }) => works))('local compute, $name', ({ launcher }) => {
  let dataDir: string
  let code: string
  let compute: Compute
  let options: LocalComputeOptions

  beforeAll(async () => {
    dataDir = await newDataDir()
    code = join(dataDir, 'code')
    await mkdir(code)
    await writeFile(
      join(code, 'double.ts'),
      `import { readFileSync, writeFileSync } from 'node:fs'
       const step = JSON.parse(readFileSync(process.env.PAVE_STEP_FILE ?? '', 'utf8'))
       const rows: number = Number(readFileSync(process.env.PAVE_INPUT_TRAINING_ROWS ?? '', 'utf8'))
       writeFileSync(process.env.PAVE_OUTPUT_MODEL ?? '', String(rows * step.params.factor))
       console.log(JSON.stringify({ step, env: process.env, cwd: process.cwd() }))`,
    )
    options = { dataDir, clock: systemClock, asRoot, node, launcher, graceMs: 400, maxLogBytes: 4096, lookEveryMs: 40 }
    compute = await openLocalCompute(options)
  })
  afterAll(async () => {
    for (const { attemptId } of await compute.list()) await compute.discard(attemptId)
    expect(await compute.list()).toEqual([])
    await compute.close()
    await rm(dataDir, { recursive: true })
  })

  function step(command: StepSpec['command'], more: Partial<StepSpec> = {}): StepSpec {
    return {
      attemptId: `attempt-${process.pid}-${serial++}`,
      workspace: 'w1',
      command,
      code: { directory: code },
      inputs: {},
      outputs: [],
      params: {},
      env: {},
      resources: { memoryMb: 512, diskMb: 64, processes: 100 },
      timeoutMs: 20_000,
      ...more,
    }
  }
  const run = async (spec: StepSpec) => (await compute.start(spec)).result
  const logOf = async ({ attemptId }: StepSpec) => (await compute.readLog(attemptId)).bytes.toString()

  it('runs a program with inputs, parameters and a clean environment, and hands back its outputs', async () => {
    const input = join(dataDir, 'rows')
    await writeFile(input, '21', { mode: 0o600 })
    const spec = step(['node', 'double.ts'], {
      code: { bundle: (await packBundle(code)).bytes },
      inputs: { 'training-rows': input },
      outputs: ['model'],
      params: { factor: 2, label: "it's", options: { depth: [3] } },
      env: { PAVE_URL: 'http://127.0.0.1:7400', HOME: '/overridden' },
    })
    const result = await run(spec)
    expect(result).toMatchObject({ status: 'succeeded', exitCode: 0, signal: undefined })
    expect(await readFile(result.outputs.model ?? '', 'utf8')).toBe('42')
    expect(Date.parse(result.endedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(result.startedAt ?? ''))
    expect(result.usage.cpuMs).toBeGreaterThan(0)
    const said = JSON.parse(await logOf(spec))
    expect(said.step.params).toEqual(spec.params)
    expect(said.step.outputs.model).toBe(said.env.PAVE_OUTPUT_MODEL)
    expect(said.cwd).not.toBe(code)
    expect(said.env).toMatchObject({
      PAVE_ATTEMPT_ID: spec.attemptId,
      PAVE_PARAM_FACTOR: '2',
      PAVE_PARAM_LABEL: "it's",
      PAVE_PARAM_OPTIONS: '{"depth":[3]}',
      PAVE_URL: 'http://127.0.0.1:7400',
    })
    expect(said.env.HOME).toContain(spec.attemptId)
    expect(said.env.TMPDIR).toContain(spec.attemptId)
    expect(Object.keys(said.env).filter((name) => /VITEST|npm_|^NODE/.test(name))).toEqual([])
  })

  it('fails a step that did not write what it declared, and names it', async () => {
    const result = await run(step('echo a > "$PAVE_OUTPUT_METRICS"', { outputs: ['metrics', 'model'] }))
    expect(result).toMatchObject({ status: 'failed', exitCode: 0, outputs: {} })
    expect(result.reason).toContain('output `model` was not written')
  })

  it('takes directories as outputs, and refuses links that would lead Pave elsewhere', async () => {
    const good = await run(
      step('mkdir "$PAVE_OUTPUT_MODEL" && echo x > "$PAVE_OUTPUT_MODEL/x"', { outputs: ['model'] }),
    )
    expect(good.status).toBe('succeeded')
    const bad = await run(step('ln -s /etc/passwd "$PAVE_OUTPUT_MODEL"', { outputs: ['model'] }))
    expect(bad.reason).toContain('`model` is neither a file nor a directory')
    const deep = await run(
      step('mkdir "$PAVE_OUTPUT_MODEL" && ln -s /etc/passwd "$PAVE_OUTPUT_MODEL/x"', { outputs: ['model'] }),
    )
    expect(deep.reason).toContain('`model` holds "x", which is neither')
  })

  it('tells exit codes, signals and missing programs apart', async () => {
    expect(await run(step('exit 3'))).toMatchObject({
      status: 'failed',
      exitCode: 3,
      reason: 'The step ended with exit code 3.',
    })
    expect(await run(step(['sh', '-c', 'kill -SEGV $$']))).toMatchObject({
      status: 'failed',
      exitCode: 139,
      signal: 'SIGSEGV',
    })
    const missing = await run(step(['no-such-program', '--x']))
    expect(missing).toMatchObject({ status: 'failed', exitCode: 127 })
    expect(missing.reason).toContain('`no-such-program --x` was not found')
    expect(await run(step(['exit', '0']))).toMatchObject({ status: 'failed', exitCode: 127 })
  })

  it('ends a step that runs too long, with all that it started', async () => {
    const spec = step('', { timeoutMs: 300 })
    spec.command = `setsid sh -c 'sleep 60; : ${spec.attemptId}-orphan' & trap '' TERM; sleep 60; sleep 60`
    expect(await run(spec)).toMatchObject({ status: 'timed_out', reason: 'It ran longer than its 0.3 seconds.' })
    expect(processesNaming(`${spec.attemptId}-orphan`)).toEqual([])
  })

  it('leaves nothing running behind a step that succeeded', async () => {
    const spec = step('')
    // Only a process namespace finds what gave up its variables, too.
    const hide = launcher.ownProcesses ? 'env -i setsid' : 'setsid'
    spec.command = `${hide} sh -c 'sleep 60; : ${spec.attemptId}-orphan' & sleep 0.1`
    expect((await run(spec)).status).toBe('succeeded')
    expect(processesNaming(`${spec.attemptId}-orphan`)).toEqual([])
  })

  it('ends a step that uses too much memory', async () => {
    const hog = 'const kept = []; setInterval(() => kept.push(Buffer.alloc(16 << 20, 1)), 10)'
    const result = await run(step(['node', '-e', hog], { resources: { memoryMb: 200, diskMb: 64, processes: 100 } }))
    expect(result).toMatchObject({ status: 'out_of_memory', reason: 'It used more than its 200 MB of memory.' })
    expect(result.usage.maxRssMb).toBeGreaterThan(100)
  })

  it('ends a step that fills the disk, in many files or in one', async () => {
    const resources = { memoryMb: 512, diskMb: 8, processes: 100 }
    const many = 'i=0; while :; do i=$((i+1)); head -c 1000000 /dev/zero > "$TMPDIR/$i"; done'
    expect(await run(step(many, { resources }))).toMatchObject({ status: 'out_of_disk', outputs: {} })
    const one = await run(step('head -c 100000000 /dev/zero > one; sleep 0.2; exit 1', { resources }))
    expect(one.status).toBe('out_of_disk')
    expect(one.reason).toContain('8 MB of disk')
  })

  it('ends a step that starts too many processes or uses too much CPU time', async () => {
    const crowd = 'for i in 1 2 3 4 5 6 7 8; do sleep 60 & done; wait'
    const crowded = await run(step(crowd, { resources: { memoryMb: 64, diskMb: 8, processes: 5 } }))
    expect(crowded).toMatchObject({ status: 'failed', reason: 'It had more than its 5 processes at once.' })
    const busy = step('while :; do :; done', { resources: { memoryMb: 64, diskMb: 8, processes: 5, cpuSeconds: 1 } })
    expect(await run(busy)).toMatchObject({
      status: 'timed_out',
      reason: 'It used more than its 1 seconds of CPU time.',
    })
  })

  it('cancels politely first', async () => {
    const spec = step(`trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.05; done`)
    const attempt = await compute.start(spec)
    await vi.waitFor(async () => expect(await logOf(spec)).toBe('ready\n'))
    await compute.stop(spec.attemptId)
    expect(await attempt.result).toMatchObject({ status: 'cancelled' })
    expect(await logOf(spec)).toContain('bye')
    await compute.stop(spec.attemptId)
    expect((await (await compute.adopt(spec.attemptId)).result).status).toBe('cancelled')
  })

  it('cancels a step that has hardly begun', async () => {
    const spec = step('sleep 60')
    const attempt = await compute.start(spec)
    await compute.stop(spec.attemptId)
    expect(await attempt.result).toMatchObject({ status: 'cancelled' })
  })

  it('starts an attempt once, however often it is asked', async () => {
    const spec = step('echo once >> "$PAVE_OUTPUT_COUNT"; sleep 0.1', { outputs: ['count'] })
    const attempts = await Promise.all([compute.start(spec), compute.start(spec), compute.adopt(spec.attemptId)])
    const results = await Promise.all(attempts.map((attempt) => attempt.result))
    results.push(await run(spec))
    for (const result of results) expect(await readFile(result.outputs.count ?? '', 'utf8')).toBe('once\n')
  })

  it('keeps the beginning of a long log', async () => {
    const spec = step('echo first; i=0; while [ $i -lt 5000 ]; do i=$((i+1)); echo "line $i"; done')
    expect((await run(spec)).status).toBe('succeeded')
    const log = await compute.readLog(spec.attemptId)
    expect(log.bytes.toString()).toMatch(/^first\nline 1\n/)
    expect(log).toMatchObject({ next: 4096, capped: true })
    expect((await compute.readLog(spec.attemptId, { offset: 6, limit: 6 })).bytes.toString()).toBe('line 1')
    expect(await compute.readLog(spec.attemptId, { offset: 99_999 })).toMatchObject({
      bytes: Buffer.alloc(0),
      next: 99_999,
    })
  })

  it('adopts what a killed Pave started: running, ended, and cut short', async () => {
    const running = step('while [ ! -e "$HOME/go" ]; do sleep 0.02; done; echo done > "$PAVE_OUTPUT_MODEL"', {
      outputs: ['model'],
    })
    const ended = step('echo quick > "$PAVE_OUTPUT_MODEL"; exit 0', { outputs: ['model'] })
    const hung = step('sleep 60', { timeoutMs: 500 })
    const killed = spawn(process.execPath, ['--input-type=module', '-e', starter([running, ended, hung])], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(killed.stdout, 'data')
    killed.kill('SIGKILL')
    await once(killed, 'exit')

    await vi.waitFor(async () =>
      expect(await compute.list()).toContainEqual({ attemptId: running.attemptId, running: true }),
    )
    const attempt = await compute.adopt(running.attemptId)
    await writeFile(join(dataDir, 'compute/attempts', running.attemptId, 'work/home/go'), '')
    const result = await attempt.result
    expect(result.status).toBe('succeeded')
    expect(await readFile(result.outputs.model ?? '', 'utf8')).toBe('done\n')
    expect((await (await compute.adopt(ended.attemptId)).result).status).toBe('succeeded')
    expect((await (await compute.adopt(hung.attemptId)).result).status).toBe('timed_out')

    const torn = 'cut-short'
    await mkdir(join(dataDir, 'compute/attempts', torn))
    expect((await (await compute.adopt(torn)).result).status).toBe('lost')
    await expect(compute.adopt('never-heard-of')).rejects.toMatchObject({ code: 'attempt_not_found' })
    await expect(compute.adopt('../../secret')).rejects.toMatchObject({ code: 'attempt_not_found' })
  })

  /** A program that starts steps and says so. */
  function starter(specs: StepSpec[]): string {
    const local = JSON.stringify(new URL('local.ts', import.meta.url).href)
    const launchers = JSON.stringify(new URL('launcher.ts', import.meta.url).href)
    const name = working.find((one) => one.launcher === launcher)?.name
    return `
      import { openLocalCompute } from ${local}
      import { ${name} as launcher } from ${launchers}
      const clock = { now: Date.now, iso: () => new Date().toISOString() }
      const compute = await openLocalCompute({ ...${JSON.stringify({ ...options, launcher: undefined })}, clock, launcher })
      for (const spec of ${JSON.stringify(specs)}) await compute.start(spec)
      console.log('started')`
  }

  it('reports an attempt as lost when its supervisor was killed, and ends what is left of it', async () => {
    const spec = step('')
    spec.command = `echo ready; sh -c 'sleep 60; : ${spec.attemptId}-rest'`
    const attempt = await compute.start(spec)
    await vi.waitFor(async () => expect(await logOf(spec)).toBe('ready\n'))
    const supervisor = Number(await readFile(join(dataDir, 'compute/attempts', spec.attemptId, 'supervisor'), 'utf8'))
    process.kill(supervisor, 'SIGKILL')
    expect(await attempt.result).toMatchObject({ status: 'lost', exitCode: undefined })
    await vi.waitFor(() => expect(processesNaming(`${spec.attemptId}-rest`)).toEqual([]))
  })

  it('holds the deadline while Pave is away', async () => {
    const spec = step('sleep 60', { timeoutMs: 1 })
    const away = await openLocalCompute({ ...options, graceMs: -5000 })
    const attempt = await away.start(spec)
    await away.close()
    await expect(attempt.result).rejects.toMatchObject({ code: 'compute_closed' })
    const exit = join(dataDir, 'compute/attempts', spec.attemptId, 'exit')
    await vi.waitFor(async () => expect(await readFile(exit, 'utf8')).toContain('exit 137'), 5000)
    expect((await (await compute.adopt(spec.attemptId)).result).status).toBe('timed_out')
  })

  it('refuses hostile names and values, and leaves nothing behind', async () => {
    const hostile: Partial<StepSpec>[] = [
      { attemptId: '../escape' },
      { attemptId: 'a/b' },
      { inputs: { '../x': '/etc/passwd' } },
      { inputs: { 'a\nexport LD_PRELOAD=x': '/etc/passwd' } },
      { inputs: { model: '/no/such/file' } },
      { outputs: ['a-b', 'a_b'] },
      { outputs: ['$(reboot)'] },
      { params: { __proto__x: 1 } },
      { params: { a: 'x'.repeat(200_000) } },
      { env: { 'A;B': '1' } },
      { env: { A: 'a\0b' } },
      { command: [] },
      { command: ['echo', 'a\0b'] },
      { resources: { memoryMb: 0, diskMb: 1, processes: 1 } },
      { timeoutMs: Number.NaN },
    ]
    for (const more of hostile) {
      const spec = step(['true'], more)
      await expect(compute.start(spec), JSON.stringify(more)).rejects.toMatchObject({ code: 'invalid_step' })
      expect((await compute.list()).map(({ attemptId }) => attemptId)).not.toContain(spec.attemptId)
    }
    expect(await readdir(dataDir)).not.toContain('escape')
  })

  it('takes any text as an argument, a parameter or a variable', async () => {
    const odd = `'; exit 9 #"$(exit 8)\`\\\n\${HOME} *`
    const spec = step(['printf', '%s|', odd, '*'], { env: { ODD: odd }, params: { odd } })
    await run(spec)
    expect(await logOf(spec)).toBe(`${odd}|*|`)
    const inside = step(['sh', '-c', 'test "$ODD" = "$PAVE_PARAM_ODD" && printf %s "$ODD"'], {
      env: { ODD: odd },
      params: { odd },
    })
    expect((await run(inside)).status).toBe('succeeded')
    expect(await logOf(inside)).toBe(odd)
  })

  it('never lets the variables of a step reach what runs before it', async () => {
    const spec = step('echo fine', { env: { LD_PRELOAD: '/no/such.so', PATH: '/nowhere', BASH_ENV: '/no' } })
    expect((await run(spec)).exitCode).toBe(127)
  })

  it.runIf(launcher.isolation.kind !== 'none')(
    'keeps files and processes of Pave and of other workspaces from the step',
    async () => {
      await writeFile(join(dataDir, 'signing-key'), 'secret', { mode: 0o600 })
      const other = step('echo private > "$PAVE_OUTPUT_MODEL"', { workspace: 'w2', outputs: ['model'] })
      const { outputs } = await run(other)
      const look = `id -u; exec 2>&-; umount -l "${dataDir}"; ls "${dataDir}" | grep key; ls "${dataDir}/compute/attempts"
      cat "${dataDir}/signing-key" "${outputs.model}" "${dataDir}/compute/attempts/$PAVE_ATTEMPT_ID/record.json"
      cat /proc/${process.pid}/environ; kill -9 ${process.pid}; true`
      const spec = step(look)
      expect((await run(spec)).status).toBe('succeeded')
      const log = await logOf(spec)
      expect(log).not.toMatch(/signing-key|secret|private|workspace|PATH=/)
      expect(log).not.toContain(other.attemptId)
      if (launcher.ownUid) {
        const uid = Number(log.split('\n')[0])
        expect(uid).toBeGreaterThan(200_000)
        expect((await stat(outputs.model ?? '')).uid).not.toBe(uid)
      }
    },
  )

  it.runIf(launcher.isolation.kind === 'user_namespace')(
    'lets the step write nowhere but below its own directory',
    async () => {
      const places = ['/tmp', import.meta.dirname, tmpdir(), '"$PWD"', '"$TMPDIR"', '"$HOME"']
      const spec = step(
        `for place in ${places.join(' ')}; do touch "$place/written-by-step" && echo "$place"; done; true`,
      )
      await run(spec)
      const written = (await logOf(spec)).split('\n').filter((line) => line.startsWith('/'))
      expect(written).toHaveLength(3)
      for (const place of written) expect(place).toContain(spec.attemptId)
    },
  )

  const environment = { key: 'tools-1' }
  const tool = `mkdir "$PAVE_ENVIRONMENT/bin" && printf '#!/bin/sh\\necho "from $0"\\n' > tool &&
    chmod 700 tool && mv tool "$PAVE_ENVIRONMENT/bin/" && ln -s /etc/shadow "$PAVE_ENVIRONMENT/link"`
  const make = (more: Partial<StepSpec> = {}) =>
    step(tool, { environment: { ...environment, access: 'make' }, ...more })
  const use = (command: string, more: Partial<StepSpec> = {}) =>
    step(command, { environment: { ...environment, access: 'use' }, ...more })

  it('makes an environment once, for the steps of its workspace alone, and closes it to changes', async () => {
    await expect(compute.start(use('true'))).rejects.toMatchObject({ code: 'environment_missing' })
    const [maker, twin] = [make(), make()]
    for (const spec of [maker, twin]) expect(await run(spec)).toMatchObject({ status: 'succeeded' })
    expect(await compute.hasEnvironment('w1', environment.key)).toBe(false)
    for (const spec of [maker, twin, maker]) await compute.keepEnvironment(spec.attemptId)
    expect(await compute.hasEnvironment('w1', environment.key)).toBe(true)
    expect(await compute.hasEnvironment('w2', environment.key)).toBe(false)
    const shadow = await stat('/etc/shadow')
    await Promise.all([maker, twin].map(({ attemptId }) => compute.discard(attemptId)))

    const user = use(
      'tool; echo broken > "$PAVE_ENVIRONMENT/bin/tool"; touch "$PAVE_ENVIRONMENT/new"; tool; echo "$PATH"',
    )
    expect((await run(user)).status).toBe('succeeded')
    const said = (await logOf(user)).split('\n').filter((line) => line.startsWith('from '))
    expect(said).toHaveLength(launcher.isolation.kind === 'none' ? said.length : 2)
    const path = said[0]?.slice('from '.length, -'/bin/tool'.length) ?? ''
    expect(path).toContain(maker.attemptId)
    expect(await logOf(user)).toContain(`${path}/bin:`)
    expect(await stat('/etc/shadow')).toMatchObject({ mode: shadow.mode, uid: shadow.uid })
    expect(await readdir(join(path, '..'))).toEqual(['.made', maker.attemptId])
    if (launcher.isolation.kind !== 'none') {
      const stranger = step(`cat "${path}/bin/tool" && ls "${path}"`, { workspace: 'w2' })
      expect((await run(stranger)).status).toBe('failed')
      expect(await logOf(stranger)).not.toContain('echo')
    }
  })

  it('offers no environment that was not made to its end, and removes what is left of it', async () => {
    const half = { environment: { key: 'half', access: 'make' } } as const
    const failing = step('touch "$PAVE_ENVIRONMENT/x"; exit 1', half)
    expect((await run(failing)).status).toBe('failed')
    const large = step('head -c 6000000 /dev/zero | tee "$PAVE_ENVIRONMENT/x" > "$PAVE_ENVIRONMENT/y"', {
      ...half,
      resources: { memoryMb: 64, diskMb: 8, processes: 8 },
    })
    expect(await run(large)).toMatchObject({ status: 'out_of_disk' })
    expect(await compute.hasEnvironment('w1', 'half')).toBe(false)
    const places = join(dataDir, 'compute/environments')
    const entries = async () => (await readdir(places, { recursive: true })).filter((name) => name.includes('attempt-'))
    const left = (await entries()).filter((name) => name.endsWith(failing.attemptId))
    expect(left).toHaveLength(1)
    for (const { attemptId } of [failing, large]) await compute.discard(attemptId)
    expect(await entries()).not.toContain(left[0])
  })

  it('discards what the step closed', async () => {
    const spec = step('mkdir -p shut/deep && touch shut/deep/file && chmod 000 shut/deep shut')
    await run(spec)
    await compute.discard(spec.attemptId)
    await expect(compute.readLog(spec.attemptId)).rejects.toMatchObject({ code: 'attempt_not_found' })
    await compute.discard(spec.attemptId)
  })

  it('gives inputs that the step cannot change', async () => {
    const input = join(dataDir, 'shared-input')
    await writeFile(input, 'whole')
    await chmod(input, 0o444)
    const spec = step('cat "$PAVE_INPUT_DATA"; echo broken > "$PAVE_INPUT_DATA"', { inputs: { data: input } })
    await run(spec)
    expect(await logOf(spec)).toContain('whole')
    if (launcher.isolation.kind !== 'none' || !asRoot) expect(await readFile(input, 'utf8')).toBe('whole')
  })
})

it('finds the strongest isolation that works, and says what it is', async () => {
  const found = await findLauncher(probeDirectory, asRoot)
  const expected = working.find(({ works }) => works)
  expect(found.isolation).toEqual(expected?.launcher.isolation)
  expect(found.isolation.detail).toMatch(/\.$/)
})
